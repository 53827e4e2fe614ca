"""Helpers shared by the embedder's, the detector's and the example faces' training code."""
