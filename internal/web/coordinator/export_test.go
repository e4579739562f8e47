package coordinator

// Patterns returns what the last handler serves.
func (p *Pages) Patterns() []string { return p.patterns }
