package workspace

// Patterns returns what the pages serve, as the mux knows it.
func (p *Pages) Patterns() []string {
	p.Handler()
	return p.patterns
}
