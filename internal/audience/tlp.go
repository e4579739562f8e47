package audience

import (
	"fmt"
	"strings"

	"muster/internal/errs"
)

// TLP is how far the source of a thing lets it travel: a label of the Traffic Light
// Protocol, version 2.0, by FIRST. The zero value is no label: what nobody has marked
// is in quarantine.
type TLP uint8

// The labels, from the one that travels furthest. Package audience reads them so:
const (
	Unmarked    TLP = iota
	Clear           // no limit: everybody
	Green           // the community: whoever belongs to the coalition, as a member, a partner or its staff; no public way out
	Amber           // the organisations that it is for, and their clients
	AmberStrict     // the organisations that it is for, and nobody beyond
	Red             // the individuals that it is for, by name
)

var labels = [...]string{"unmarked", "TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"}

// TLPs returns the labels, from the one that travels furthest.
func TLPs() []TLP { return []TLP{Clear, Green, Amber, AmberStrict, Red} }

// String returns the label as the standard writes it, which is the same in every
// language.
func (m TLP) String() string {
	if int(m) < len(labels) {
		return labels[m]
	}
	return fmt.Sprintf("audience.TLP(%d)", uint8(m))
}

// Known reports whether the marking is one of the five labels.
func (m TLP) Known() bool { return m >= Clear && m <= Red }

// ParseTLP returns the label of a text. It takes the five labels as the standard
// writes them and nothing else: what is merely like one is not guessed at. Whoever
// keeps a thing of which this is refused keeps it [Unmarked].
func ParseTLP(text string) (TLP, error) {
	for _, m := range TLPs() {
		if text == labels[m] {
			return m, nil
		}
	}
	if text == "TLP:WHITE" {
		return Unmarked, errs.New(errs.Invalid, "TLP:WHITE is a label of version 1.0", "in version 2.0 it is TLP:CLEAR")
	}
	return Unmarked, errs.New(errs.Invalid, errs.Quote(text)+" is no label of TLP 2.0", "one of "+strings.Join(labels[Clear:], ", ")+", in capitals and without spaces")
}
