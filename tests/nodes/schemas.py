"""What saved workflows rely on, out of /object_info: the part of it that must not change."""

# Their options belong to the ComfyUI at hand, or to its model folders.
HOSTS = ("sampler_name", "scheduler", "file", "folder", "detector")


def pack_nodes(info, pack):
    """{node id: its entry} of one pack folder."""
    return {k: v for k, v in info.items() if v["python_module"] == f"custom_nodes.{pack}"}


def inputs_of(node):
    """(id, type, options, whether required), in order."""
    for kind in ("required", "optional"):
        for name, (type_, *options) in node["input"].get(kind, {}).items():
            yield name, type_, options[0] if options else {}, kind == "required"


def options_of(info, node, name):
    """The choices of a combo, in either form that a schema may have."""
    first, *rest = info[node]["input"]["required"][name]
    return first if isinstance(first, list) else rest[0]["options"]


def contract(node):
    """A node's inputs with types, defaults and ranges, and its output types."""
    inputs = []
    for name, type_, options, required in inputs_of(node):
        entry = {"id": name, "type": type_, "required": required}
        entry |= {k: options[k] for k in ("default", "min", "max") if k in options}
        if "template" in options:
            template = options["template"]
            entry |= {k: template[k] for k in ("prefix", "min", "max")}
            entry["of"] = [t for part in template["input"].values() for t, *_ in part.values()]
        if "options" in options and name not in HOSTS:
            entry["options"] = options["options"]
        inputs.append(entry)
    return {"inputs": inputs, "outputs": node["output"]}
