"""What handlers of Oracle's resources have in common."""

from emulator.plugins.oci.wording import OWNERS, Words
from emulator.plugins.rest.handler import Handler
from emulator.plugins.rest.readback import read_back
from emulator.plugins.values import Properties


class OracleHandler(Handler):
    """One type of resource at Oracle's API."""

    words: Words
    """Where Pulumi's names differ from the API's."""

    def read_back(self, inputs: Properties, shown: Properties) -> Properties:
        """As the program would say it."""
        said: Properties = read_back(inputs, shown, owners=OWNERS)
        return said
