"""Side by side with other engines and servers: the same texts, weights and threads, each in a process of its own."""
