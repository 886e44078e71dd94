// Karpenter's own scheduler on the bench's pods and machines: one question as JSON on stdin, one
// answer on stdout. Set up as in Karpenter's benchmark, with a fake Kubernetes client; a claim costs
// what the cheapest type costs that it may still be launched as.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
	fakeclient "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/cloudprovider"
	"sigs.k8s.io/karpenter/pkg/cloudprovider/fake"
	"sigs.k8s.io/karpenter/pkg/controllers/provisioning/scheduling"
	"sigs.k8s.io/karpenter/pkg/controllers/state"
	"sigs.k8s.io/karpenter/pkg/events"
	"sigs.k8s.io/karpenter/pkg/operator/injection"
	"sigs.k8s.io/karpenter/pkg/operator/logging"
	"sigs.k8s.io/karpenter/pkg/operator/options"
	requirements "sigs.k8s.io/karpenter/pkg/scheduling"
	"sigs.k8s.io/karpenter/pkg/test"
)

const gpuResource corev1.ResourceName = "nvidia.com/gpu"

type machine struct {
	Name   string  `json:"name"`
	Arch   string  `json:"arch"`
	CPU    int64   `json:"cpu_millicores"`
	Memory int64   `json:"memory_bytes"`
	GPUs   int64   `json:"gpus"`
	Pods   int64   `json:"pods"`
	Price  float64 `json:"price_per_hour"`
}

type shape struct {
	App    string `json:"app"`
	CPU    int64  `json:"cpu_millicores"`
	Memory int64  `json:"memory_bytes"`
	GPUs   int64  `json:"gpus"`
	Arch   string `json:"arch"`
	Alone  bool   `json:"alone"`
	Count  int    `json:"count"`
}

type question struct {
	Machines []machine `json:"machines"`
	Shapes   []shape   `json:"shapes"`
}

type answer struct {
	Price     float64 `json:"price_per_hour"`
	Nodes     int     `json:"nodes"`
	GPUNodes  int     `json:"gpu_nodes"`
	Unplaced  int     `json:"unplaced"`
	Seconds   float64 `json:"seconds"`
	PeakBytes int64   `json:"peak_bytes"`
}

func main() {
	log.SetLogger(logging.NopLogger)
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail(fmt.Errorf("reading the question: %w", err))
	}
	given, err := solve(asked)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(given); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func solve(asked question) (answer, error) {
	ctx := options.ToContext(injection.WithControllerName(context.Background(), "provisioner"), test.Options())
	pool := test.NodePool(v1.NodePool{Spec: v1.NodePoolSpec{Limits: v1.Limits{
		corev1.ResourceCPU:    resource.MustParse("100000000"),
		corev1.ResourceMemory: resource.MustParse("100000000Gi"),
	}}})
	sold := make([]*cloudprovider.InstanceType, 0, len(asked.Machines))
	for _, each := range asked.Machines {
		sold = append(sold, instanceType(each))
	}
	byPool := map[string][]*cloudprovider.InstanceType{pool.Name: sold}
	pods := podsOf(asked.Shapes)

	client, now := fakeclient.NewFakeClient(), &clock.RealClock{}
	provider := fake.NewCloudProvider()
	provider.InstanceTypes = sold
	cluster := state.NewCluster(now, client, provider)
	pools := []*v1.NodePool{pool}
	workers := scheduling.NumConcurrentReconciles(5)
	start := time.Now()
	topology, err := scheduling.NewTopology(ctx, client, cluster, nil, pools, byPool, pods, workers)
	if err != nil {
		return answer{}, fmt.Errorf("topology: %w", err)
	}
	recorder := events.NewRecorder(&record.FakeRecorder{})
	scheduler := scheduling.NewScheduler(
		ctx, client, pools, cluster, nil, topology, byPool, nil, recorder, now, nil, nil, workers)
	results, err := scheduler.Solve(ctx, pods)
	if err != nil {
		return answer{}, fmt.Errorf("solve: %w", err)
	}
	given := answer{
		Nodes: len(results.NewNodeClaims), Unplaced: len(results.PodErrors),
		Seconds: time.Since(start).Seconds(), PeakBytes: peakBytes(),
	}
	for _, claim := range results.NewNodeClaims {
		cheapest := claim.InstanceTypeOptions.OrderByPrice(claim.Requirements)[0]
		given.Price += cheapest.Offerings.Available().Compatible(claim.Requirements).Cheapest().Price
		if gpus := cheapest.Capacity[gpuResource]; !gpus.IsZero() {
			given.GPUNodes++
		}
	}
	return given, nil
}

func instanceType(each machine) *cloudprovider.InstanceType {
	labels := map[string]string{v1.CapacityTypeLabelKey: v1.CapacityTypeOnDemand, corev1.LabelTopologyZone: "zone-1"}
	return &cloudprovider.InstanceType{
		Name: each.Name,
		Requirements: requirements.NewRequirements(
			requirements.NewRequirement(corev1.LabelInstanceTypeStable, corev1.NodeSelectorOpIn, each.Name),
			requirements.NewRequirement(corev1.LabelArchStable, corev1.NodeSelectorOpIn, each.Arch),
			requirements.NewRequirement(corev1.LabelOSStable, corev1.NodeSelectorOpIn, "linux"),
			requirements.NewRequirement(corev1.LabelTopologyZone, corev1.NodeSelectorOpIn, "zone-1"),
			requirements.NewRequirement(v1.CapacityTypeLabelKey, corev1.NodeSelectorOpIn, v1.CapacityTypeOnDemand),
		),
		Offerings: cloudprovider.Offerings{{
			Available: true, Price: each.Price, Requirements: requirements.NewLabelRequirements(labels),
		}},
		Capacity: amounts(each.CPU, each.Memory, each.GPUs, each.Pods),
		Overhead: &cloudprovider.InstanceTypeOverhead{},
	}
}

func amounts(cpu, memory, gpus, pods int64) corev1.ResourceList {
	list := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI),
	}
	if gpus > 0 {
		list[gpuResource] = *resource.NewQuantity(gpus, resource.DecimalSI)
	}
	if pods > 0 {
		list[corev1.ResourcePods] = *resource.NewQuantity(pods, resource.DecimalSI)
	}
	return list
}

func podsOf(shapes []shape) []*corev1.Pod {
	var pods []*corev1.Pod
	for _, each := range shapes {
		for at := range each.Count {
			pods = append(pods, pod(each, at))
		}
	}
	return pods
}

func pod(each shape, at int) *corev1.Pod {
	name := fmt.Sprintf("%s-%d", each.App, at)
	labels := map[string]string{"app": each.App}
	made := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID(name), Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "c", Resources: corev1.ResourceRequirements{
				Requests: amounts(each.CPU, each.Memory, each.GPUs, 0),
				Limits:   amounts(each.CPU, each.Memory, each.GPUs, 0),
			},
		}}},
	}
	if each.Arch != "" {
		made.Spec.NodeSelector = map[string]string{corev1.LabelArchStable: each.Arch}
	}
	if each.Alone {
		made.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				TopologyKey:   corev1.LabelHostname,
				LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
			}},
		}}
	}
	return made
}

// peakBytes is the most memory this process has had since it began (getrusage counts its parent's as well).
func peakBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib int64
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			if _, err := fmt.Sscanf(rest, "%d kB", &kib); err != nil {
				return 0
			}
		}
	}
	return kib * 1024
}
