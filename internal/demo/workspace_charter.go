package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"muster/dap"
	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/workspace"
)

// chartered fills a survey that a charter asks for: everything is answered, and the
// chain has one step left. What is sealed of it is for two hosts that nobody runs, and
// whose keys nobody has: they are drawn here and forgotten.
func (f *filling) chartered(ctx context.Context, pack *framework.Pack) error {
	f.at = f.Now.AddDate(0, 0, -9)
	cycle := fmt.Sprint(f.Now.Year())
	charter, err := f.charter(pack, cycle)
	if err != nil {
		return fmt.Errorf("charter of %s: %w", pack.ID, err)
	}
	id := workspace.NewSurveyID(cycle, pack.ID)
	if _, err := f.service.Load(ctx, f.Lead, workspace.LoadConfig{Pack: pack, Charter: &charter}); err != nil {
		return err
	}
	synthetic, err := Generate(Config{Pack: pack, Members: 12, Seed: f.Seed})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(synthetic.Members, func(m Member) bool { return m.Now != nil })
	if err := f.answer(ctx, pack, id, synthetic.Members[i].Now, len(pack.Outcomes())); err != nil {
		return err
	}
	return f.service.SetChain(ctx, f.Lead, id, []assess.Step{{ID: "head", Name: "Head of the authority"}})
}

// charter returns the charter of an invented coalition for a pack, signed by its
// coordinator and hosts.
func (f *filling) charter(pack *framework.Pack, cycle string) (coalition.SignedCharter, error) {
	d := drawing{rand: rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32d", f.Seed))))}
	hosts := [2]*keys.Signer{d.signer("host " + realms[1]), d.signer("host " + realms[2])}
	coordinator := d.signer("coordinator")
	opens := f.Now.AddDate(0, 0, -9).Truncate(time.Second)
	ref := pack.Ref()
	p := coalition.Proposal{
		Coalition: Name, Cycle: cycle, Marking: Synthetic, Cohort: Allies,
		Framework: coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest},
		Leader:    d.host(realms[1], hosts[0]), Helper: d.host(realms[2], hosts[1]),
		Seed:  d.bytes(),
		Opens: opens, Deadline: opens.AddDate(0, 0, 32), Wipe: opens.AddDate(1, 0, 32),
	}
	layout, err := framework.NewLayout(pack)
	if err == nil {
		p.Layout, err = layout.Canonical()
	}
	if err == nil {
		config := d.hpke().Config()
		p.Collector, err = coalition.NewCoordinatorCard(Name, coordinator.Public(), config, d.pin())
	}
	if err != nil {
		return coalition.SignedCharter{}, err
	}
	for _, name := range realms[:workspaceCoalition] {
		key := f.Member
		if coalition.MemberID(name) != WorkspaceMember {
			key = d.signer(name).Public()
		}
		p.Members = append(p.Members, coalition.Member{ID: coalition.MemberID(name), Key: key})
	}
	if d.err != nil {
		return coalition.SignedCharter{}, d.err
	}
	charter, err := p.Charter()
	if err != nil {
		return coalition.SignedCharter{}, err
	}
	return charter.Sign(coordinator, hosts[0], hosts[1])
}

// drawing draws keys and keeps the first error.
type drawing struct {
	rand io.Reader
	err  error
}

func (d *drawing) keep(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *drawing) bytes() (b [32]byte) {
	_, err := io.ReadFull(d.rand, b[:])
	d.keep(err)
	return b
}

func (d *drawing) signer(name string) *keys.Signer {
	s, err := keys.Generate(d.rand, name)
	d.keep(err)
	return s
}

func (d *drawing) hpke() *dap.HpkeKeypair {
	secret := d.bytes()
	k, err := dap.DeriveHpkeKeypair(1, dap.SuiteX25519, secret[:])
	d.keep(err)
	return k
}

// pin is the pin of a certificate that nobody has.
func (d *drawing) pin() string {
	b := d.bytes()
	return coalition.Pin(b[:])
}

func (d *drawing) host(member string, signer *keys.Signer) coalition.HostCard {
	card, err := coalition.NewHostCard(coalition.MemberID(member), "https://"+member+".example", signer.Public(), dap.HpkeConfigList{d.hpke().Config()}, d.pin())
	d.keep(err)
	return card
}
