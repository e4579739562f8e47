package pdf

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
)

// tagged refuses a file that cannot be read by ear: an old browser prints one.
func tagged(file []byte) error {
	if !bytes.HasPrefix(file, []byte("%PDF-")) {
		return errors.New("what was printed is no PDF")
	}
	for _, part := range []string{"/StructTreeRoot", "/Lang", "/MarkInfo"} {
		if !bytes.Contains(file, []byte(part)) {
			return errors.New("what was printed has no tags: the browser is too old")
		}
	}
	return nil
}

// count is how many pages a node of the tree of pages has below it.
var count = regexp.MustCompile(`/Type\s*/Pages\b[^>]*?/Count\s+(\d+)|/Count\s+(\d+)[^>]*?/Type\s*/Pages\b`)

// pages returns how many pages a file of a browser has: the largest count, which is the
// root's, or 0 if it does not say in clear.
func pages(file []byte) int {
	most := 0
	for _, found := range count.FindAllSubmatch(file, -1) {
		for _, digits := range found[1:] {
			if n, err := strconv.Atoi(string(digits)); err == nil {
				most = max(most, n)
			}
		}
	}
	return most
}
