package framework

// NeverDecomposed and Printable are tested over all their arguments of interest.
var (
	NeverDecomposed = neverDecomposed
	Printable       = printable
)

// ScanTokens returns how many tokens the scan before the YAML parser counts in
// data, and whether it would let the parser have it.
func ScanTokens(data []byte) (tokens int, ok bool) {
	c := &checker{}
	if !c.encoding(data) {
		return 0, false
	}
	s := newScanner(c, data)
	ok = s.run()
	return s.tokens, ok
}
