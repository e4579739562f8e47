package cli

import (
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/submit"
)

// TestSignedByBoth: a member is told at once of an acknowledgement that it could show to
// nobody.
func TestSignedByBoth(t *testing.T) {
	t.Parallel()
	c := coalitiontest.New(t, coalitiontest.Config{Members: []coalition.MemberID{"A", "B", "C"}, Layout: []byte(`{}`), Sizes: []uint16{3}})
	task := c.Task(t)
	r := coalition.NewReceipt(task.ID, "C", 2, 1, dap.ReportID{1}, [32]byte{1}, [32]byte{2})
	signed, err := r.Sign(c.Members["C"])
	if err != nil {
		t.Fatal(err)
	}
	opened := submit.Opened{Receipt: r, Submission: submit.Submission{Receipt: signed}}
	word := func(role dap.Role, last uint64) *coalition.Acknowledgement {
		ack, err := r.Acknowledge(signed.Digest(), last, role, map[dap.Role]*keys.Signer{dap.RoleLeader: c.Leader, dap.RoleHelper: c.Helper}[role])
		if err != nil {
			t.Fatal(err)
		}
		return &ack
	}
	edited := func(change func(*coalition.Acknowledgement)) *coalition.Acknowledgement {
		ack := word(dap.RoleHelper, 2)
		change(ack)
		return ack
	}
	for _, row := range []struct {
		name   string
		helper *coalition.Acknowledgement
		words  string // empty: all is well
	}{
		{"signed", word(dap.RoleHelper, 2), ""},
		{"replaced by a later one", word(dap.RoleHelper, 3), ""},
		{"set aside", word(dap.RoleHelper, 1), ""},
		{"unsigned", edited(func(a *coalition.Acknowledgement) { a.Held, a.Signature = "", "" }), "it is not signed"},
		{"no base64url", edited(func(a *coalition.Acknowledgement) { a.Held = "=" }), "cannot be read"},
		{"another signature", edited(func(a *coalition.Acknowledgement) { a.Signature = word(dap.RoleLeader, 2).Signature }), "what B says of submission 2 of C cannot be shown to anybody"},
		{"the other host's word", word(dap.RoleLeader, 2), "it is the other host's"},
	} {
		err := signedByBoth(c.Charter, opened, submit.Delivery{Leader: word(dap.RoleLeader, 2), Helper: row.helper})
		if row.words == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(errs.Describe(err).Message, row.words) || errs.Describe(err).Hint == "" {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}
