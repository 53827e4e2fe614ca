"""Generated people for `examples/images`: a linear model of faces in dense correspondence, the pictures, their check."""
