from components.oke.images import Image, kind_of, newest

OFFERED = [
    Image("old", "Oracle-Linux-8.9-2024.01.26-0-OKE-1.36.3-679"),
    Image("new", "Oracle-Linux-8.10-2026.01.26-0-OKE-1.36.3-701"),
    Image("arm", "Oracle-Linux-8.10-aarch64-2026.01.26-0-OKE-1.36.3-701"),
    Image("gpu", "Oracle-Linux-8.10-Gen2-GPU-2026.01.26-0-OKE-1.36.3-701"),
    Image("other-version", "Oracle-Linux-8.10-2026.02.26-0-OKE-1.36.30-702"),
    Image("other-system", "Oracle-Linux-9.10-2026.02.26-0-OKE-1.36.3-702"),
    Image("no-oke", "Oracle-Linux-8.10-2026.02.26-0"),
]


def test_each_kind_has_its_newest_image_of_the_version() -> None:
    assert newest(OFFERED, "v1.36.3") == {"amd64": "new", "arm64": "arm", "amd64-gpu": "gpu"}


def test_the_order_of_the_offers_does_not_matter() -> None:
    assert newest(reversed(OFFERED), "v1.36.3") == newest(OFFERED, "v1.36.3")


def test_a_version_without_images_has_none() -> None:
    assert newest(OFFERED, "v1.33.0") == {}


def test_a_shape_with_a_gpu_needs_the_image_with_its_driver() -> None:
    assert (kind_of("amd64", 1), kind_of("amd64", 0), kind_of("arm64", 0)) == ("amd64-gpu", "amd64", "arm64")
