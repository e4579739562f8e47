package coordinator

// Patterns returns the patterns of what the last handler serves.
func (p *Pages) Patterns() []string {
	all := make([]string, len(p.routes))
	for i, r := range p.routes {
		all[i] = r.pattern
	}
	return all
}

// Abouts returns what each of them is about.
func (p *Pages) Abouts() map[string]string {
	all := make(map[string]string, len(p.routes))
	for _, r := range p.routes {
		all[r.pattern] = r.about
	}
	return all
}
