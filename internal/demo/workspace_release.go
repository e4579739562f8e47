package demo

import (
	"context"
	"errors"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
	"muster/internal/workspace"
)

// workspaceCoalition is how many members the invented coalition of a workspace has:
// enough for most of its release to be shown.
const workspaceCoalition = 32

// released keeps last year's release of the coalition that the member is one of. All
// answers are added up here, by nobody's key, and no charter stands behind it. Where
// the gate lets nothing be released, which some seeds come to, there is none.
func (f *filling) released(ctx context.Context, pack *framework.Pack, id workspace.SurveyID, own *Member) error {
	synthetic, err := Generate(Config{Pack: pack, Members: workspaceCoalition, Seed: f.Seed})
	if err != nil {
		return err
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		return err
	}
	cfg := release.Config{
		Coalition: Name, Cycle: id.Cycle(), Cohort: Allies, Marking: Synthetic, Pack: pack, CohortSize: workspaceCoalition,
		Calendar:      release.Calendar{Opens: f.Now.AddDate(-1, -1, 0).Unix(), Deadline: f.Now.AddDate(-1, 0, 10).Unix(), Postponed: []release.Postponement{}},
		CharterDigest: keys.Digest([]byte(Synthetic + " charter")), RosterDigest: keys.Digest([]byte(Synthetic + " roster")),
		Totals: disclosure.Totals{Layout: layout, Cells: make([]uint64, layout.Bits())},
	}
	hosts := 0
	for _, m := range synthetic.Members {
		if m.Before == nil {
			continue // it has joined since
		}
		name := coalition.MemberID(m.Name)
		switch {
		case m.Name == own.Name:
			name = WorkspaceMember
		case name == WorkspaceMember:
			name = coalition.MemberID(own.Name)
		}
		if hosts < len(cfg.HostedBy) && name != WorkspaceMember {
			cfg.HostedBy[hosts] = name
			hosts++
		}
		cfg.Members = append(cfg.Members, name)
		if err := count(cfg.Totals.Cells, layout, m.Before); err != nil {
			return err
		}
	}
	cfg.Totals.Submissions = uint64(len(cfg.Members))
	r, err := release.New(cfg)
	if err != nil {
		_, few := errors.AsType[*disclosure.Refusal](err)
		_, unsafe := errors.AsType[*release.Unsafe](err)
		if few || unsafe {
			return nil
		}
		return err
	}
	body, err := r.Canonical()
	if err != nil {
		return err
	}
	_, err = f.service.KeepRelease(ctx, f.Lead, id, body)
	return err
}

// count adds an assessment to the totals.
func count(cells []uint64, layout *framework.Layout, a *assess.Assessment) error {
	buckets, err := assess.Measurement(layout, a, nil)
	if err != nil {
		return err
	}
	first := 0
	for i, bucket := range buckets {
		cells[first+int(bucket)]++
		first += len(layout.Blocks[i].Buckets)
	}
	return nil
}
