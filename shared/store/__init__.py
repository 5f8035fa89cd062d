"""MongoDB. One module per collection or protocol step; each public function is one atomic operation."""
