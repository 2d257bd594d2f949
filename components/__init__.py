"""What a person sees and touches: Parameterized components, usable in a notebook or a page."""
