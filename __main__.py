"""The Pulumi program: settings in, a stack of the cloud they name, the exports every stack has."""

import pulumi

from stacks import clouds, configuration
from stacks.faults import StackError
from stacks.settings import parse

try:
    exports = clouds.build(pulumi.get_stack(), parse(configuration.read()))
except StackError as error:
    raise pulumi.RunError(str(error)) from None
for name, value in exports.items():
    pulumi.export(name, value)
