package port

import "slices"

// dispute is what a supplier says in place of what is required of it.
type dispute struct{ group, binding, buffer, said string }

// suppliersSay is what suppliers answered of the rows of others that name them: most
// confirm, some have not answered, some were not asked, and a few do not agree.
func (b *builder) suppliersSay() {
	owner := make(map[string]string)
	for _, s := range b.c.Services {
		owner[s[0]] = s[1]
	}
	disputes := []dispute{
		{"orders", "", "2h", "SYNTHETIC: orders are kept for two hours, and no longer"},
		{"community system", "mostly", "", "SYNTHETIC: paper was given up two years ago"},
		{"identities", "", "", "SYNTHETIC: nobody signs in through this region any more"},
	}
	n := 0
	for i, row := range b.c.Requirements {
		if owner[row[0]] == owner[row[3]] {
			continue
		}
		n++
		said := []string{"confirmed", "", "", ""}
		switch at := slices.IndexFunc(disputes, func(d dispute) bool { return d.group == row[1] }); {
		case at >= 0:
			d := disputes[at]
			disputes = slices.Delete(disputes, at, at+1)
			said = []string{"disputed", d.binding, d.buffer, d.said}
		case n%11 == 5:
			said[0] = ""
		case n%4 == 2:
			said[0] = "unknown"
		}
		b.c.Requirements[i] = append(row, said...)
	}
}
