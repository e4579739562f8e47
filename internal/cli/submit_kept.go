package cli

import (
	"path/filepath"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/submit"
)

// parseAcknowledged reads the bytes of a file of acknowledgements.
func parseAcknowledged(body []byte) (a acknowledged, err error) {
	if err = keys.DecodeCanonical(body, &a); err == nil && a.Kind != acknowledgedKind {
		err = errs.New(errs.Invalid, "it is of another kind", "")
	}
	return a, err
}

// keep writes what the hosts said beside the sealed file. What a host signed earlier is
// the member's evidence and stays, also where the host is silent now, has set the
// submission aside, or signs something else. A file that is of another submission, or
// that cannot be read, is moved beside, under a name with the beginning of its SHA-256.
func (a acknowledged) keep(path string, c coalition.Charter, o submit.Opened) error {
	dir, name := filepath.Dir(path), filepath.Base(path)+".acknowledged"
	var files []outputFile
	earlier, err := readInput(filepath.Join(dir, name+".json"), "file of acknowledgements")
	switch {
	case err == nil:
		if kept, err := parseAcknowledged(earlier); err == nil && kept.Receipt == a.Receipt && kept.Task == a.Task {
			a.Leader = a.Leader.after(kept.Leader, "leader", c, o)
			a.Helper = a.Helper.after(kept.Helper, "helper", c, o)
		} else {
			files = append(files, outputFile{name + "-" + keys.Digest(earlier)[:16] + ".json", earlier, 0o644})
		}
	case errs.KindOf(err) != errs.NotFound:
		return err
	}
	body, err := keys.Canonical(a)
	if err != nil {
		return err
	}
	return realDisk().writeOutput(dir, append(files, outputFile{name + ".json", body, 0o644}), nil)
}

// after returns the word of a host as it is kept after an earlier one: with what it
// signed then, where it signed nothing that could be shown now.
func (w *hostWord) after(earlier *hostWord, role string, c coalition.Charter, o submit.Opened) *hostWord {
	switch {
	case !earlier.genuine(role, c, o) || w.genuine(role, c, o):
		return w
	case w == nil:
		return earlier
	}
	return &hostWord{w.Member, w.Last, earlier.Held, earlier.Signature}
}

// genuine reports whether a word has the host's signature over exactly this receipt.
func (w *hostWord) genuine(role string, c coalition.Charter, o submit.Opened) bool {
	if w == nil {
		return false
	}
	file, signed, err := (coalition.Acknowledgement{Held: w.Held, Signature: w.Signature}).Signed()
	if err != nil || !signed {
		return false
	}
	held, err := c.OpenHeld(file, o.Receipt, o.Submission.Receipt.Digest())
	return err == nil && held.Host == role
}
