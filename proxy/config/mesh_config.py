"""Where the configuration has the settings of the whole mesh: Istio's place, a ConfigMap of YAML."""

import yaml
from pydantic import ValidationError

from proxy.api.kubernetes import ConfigMap
from proxy.api.mesh import MeshConfig
from proxy.config.collection import Collection
from proxy.config.objects import Key
from vigla.errors import BadInput

ROOT_NAMESPACE = "istio-system"
PLACE = Key("ConfigMap", ROOT_NAMESPACE, "istio")
FIELD = "mesh"


def mesh_config(collection: Collection) -> MeshConfig:
    """The MeshConfig of a configuration; without one Istio's defaults.

    Raises:
        BadInput: it cannot be read.
    """
    found = collection.get(ConfigMap, PLACE.namespace, PLACE.name)
    try:
        return read_mesh_config(found.spec.data.get(FIELD, "") if found else "")
    except BadInput as error:
        raise BadInput(f"{PLACE}: {error}") from error


def read_mesh_config(text: str) -> MeshConfig:
    """A MeshConfig from YAML.

    Raises:
        BadInput: it is none; the message names each field that is wrong.
    """
    try:
        return MeshConfig.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise BadInput(f"not YAML: {error}") from error
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found)
        raise BadInput(f"no MeshConfig: {said}") from error
