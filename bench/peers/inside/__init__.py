"""Scripts for the environments of peers and of training, each a process of its own: the bench imports none of them."""
