package workspace

// Patterns returns what the pages serve, as the mux knows it.
func (p *Pages) Patterns() []string {
	p.Handler()
	return p.patterns
}

// Whys returns what reports and refusals of files say, by the message for it.
func Whys() map[string]string { return whys }
