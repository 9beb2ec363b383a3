"""What can be known of a running service: figures, logs and traces, and never what anybody wrote."""
