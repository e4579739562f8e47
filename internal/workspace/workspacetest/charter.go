package workspacetest

import (
	"testing"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/framework"
)

// Charter returns a charter that asks for a pack, and who signs it, or ends the test. The
// first two members are the hosts; each name draws other keys, so that the charter is
// another.
func Charter(t testing.TB, pack *framework.Pack, name string, members ...coalition.MemberID) (*coalitiontest.Cycle, coalition.SignedCharter) {
	t.Helper()
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	body, err := layout.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	c := coalitiontest.New(t, coalitiontest.Config{Name: name, Members: members, Layout: body, Sizes: layout.Sizes()})
	ref := pack.Ref()
	c.Charter.Framework = coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}
	signed, err := c.Charter.Sign(c.Coordinator, c.Leader, c.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return c, signed
}
