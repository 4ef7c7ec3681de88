"""Control pictures with the conventions that published ControlNets were trained on."""
