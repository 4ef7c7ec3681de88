"""Weight files: headers, strict loading, atomic saving. Safetensors only."""
