package workspace_test

import (
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// Who may what, spelt out once more.
func TestRoles(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}}))
	digest := digestOf(t, w, id)
	findings, err := w.FindingsDigest(ctx, w.Lead, id)
	must(t, err)
	entry, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	only := func(_ any, err error) error { return err }
	deeds := map[string]func(p workspace.Person) error{
		"see all":    func(p workspace.Person) error { return only(w.Entries(ctx, p, id)) },
		"see one":    func(p workspace.Person) error { return only(w.Entry(ctx, p, id, "A1.1")) },
		"history":    func(p workspace.Person) error { return only(w.History(ctx, p, id, "A1.1")) },
		"blockers":   func(p workspace.Person) error { return only(w.Blockers(ctx, p, id)) },
		"sealings":   func(p workspace.Person) error { return only(w.Sealings(ctx, p, id)) },
		"findings":   func(p workspace.Person) error { return only(w.Findings(ctx, p, id)) },
		"references": func(p workspace.Person) error { return only(w.References(ctx, p, id, "")) },
		"surveys":    func(p workspace.Person) error { return only(w.Surveys(ctx, p)) },
		"part":       func(p workspace.Person) error { return only(w.Part(ctx, p, id)) },
		"save": func(p workspace.Person) error {
			_, _, err := w.Save(ctx, p, id, "A1.1", entry.Rev, entry.Entry)
			return err
		},
		"confirm": func(p workspace.Person) error { return only(w.Confirm(ctx, p, id, "A1.1")) },
		"load": func(p workspace.Person) error {
			return only(w.Service.Load(ctx, p, workspace.LoadConfig{Pack: workspacetest.Pack(t, 2, "there"), Cycle: workspacetest.Cycle}))
		},
		"body": func(p workspace.Person) error { return only(w.PutBody(ctx, p, 99, assess.Body{ID: "a", Name: "b"})) },
		"chain": func(p workspace.Person) error {
			return w.SetChain(ctx, p, id, []assess.Step{{ID: "head", Name: "The head"}})
		},
		"find": func(p workspace.Person) error {
			return only(w.PutFinding(ctx, p, id, 99, assess.Finding{Outcome: "A1.1"}))
		},
		"opine": func(p workspace.Person) error {
			return w.PutOpinion(ctx, p, id, workspace.Opinion{Text: "x", Digest: findings, By: "x"})
		},
		"decide": func(p workspace.Person) error {
			return only(w.Decide(ctx, p, id, assess.Decision{Step: "head", Digest: digest, By: p.Name, Reason: "so"}))
		},
		"plan": func(p workspace.Person) error {
			return only(w.PutAction(ctx, p, id, "x", 0, assess.Action{Outcome: "A1.1", Text: "x", Owner: "x"}))
		},
		"seal": func(p workspace.Person) error {
			return only(w.Sealed(ctx, p, id, workspace.Sealing{Sequence: 1, Digest: strings.Repeat("0", 64), File: digest, Receipt: coalition.SignedReceipt{Body: []byte("x")}}))
		},
		"close":    func(p workspace.Person) error { return w.Reopen(ctx, p, id) },
		"settings": func(p workspace.Person) error { return only(w.PutSettings(ctx, p, 0, workspace.Settings{})) },
		"register": func(p workspace.Person) error { return w.RemoveApprover(ctx, p, 0, "x") },
		"request":  func(p workspace.Person) error { return only(w.RequestApproval(ctx, p, id, "head")) },
		"copy": func(p workspace.Person) error {
			_, _, err := w.Copy(ctx, p, id, "A1.1", "x")
			return err
		},
		"digest": func(p workspace.Person) error {
			return only(w.Measured(ctx, p, id, "A1.1", "x", 0, workspace.Reading{SHA256: digest}))
		},
		"drop": func(p workspace.Person) error { return w.DropCopy(ctx, p, id, "A1.1", "x") },
		"read": func(p workspace.Person) error { return only(w.BrokenReferences(ctx, p, id, nil)) },
		"form": func(p workspace.Person) error { return only(w.PutNeeds(ctx, p, "", 99, assess.Needs{None: true})) },
	}
	seeing := []string{"see all", "see one", "history", "blockers", "sealings", "findings", "references", "surveys", "part", "copy"}
	for role, allowed := range map[workspace.Role][]string{
		workspace.RoleContributor: {"surveys", "part"},
		workspace.RoleVerifier:    append([]string{"find", "opine", "read"}, seeing...),
		workspace.RoleApprover:    append([]string{"decide"}, seeing...),
		workspace.RoleReader:      seeing,
		"none":                    nil,
	} {
		may := make(map[string]bool)
		for _, deed := range allowed {
			may[deed] = true
		}
		p := workspace.Person{Name: "P", Roles: []workspace.Role{role}, Steps: []string{"head"}, Bodies: []string{"port"}}
		for deed, do := range deeds {
			err := do(p)
			if denied := errs.KindOf(err) == errs.Denied; denied == may[deed] {
				t.Errorf("%s: %s: %v", role, deed, err)
			}
		}
	}
	// A lead who shares the workspace does everything but verify and decide.
	sharing := workspace.Person{Name: "Lena", Roles: []workspace.Role{workspace.RoleLead}}
	for deed, do := range deeds {
		err := do(sharing)
		hers := deed != "find" && deed != "opine" && deed != "decide"
		if denied := errs.KindOf(err) == errs.Denied; denied == hers {
			t.Errorf("a lead among several: %s: %v", deed, err)
		}
	}
	for deed, do := range deeds {
		if err := do(w.Lead); errs.KindOf(err) == errs.Denied || err != nil && errs.KindOf(err) == errs.Internal {
			t.Errorf("the lead: %s: %v", deed, err)
		}
		if err := do(workspace.Person{Roles: []workspace.Role{workspace.RoleLead}}); errs.KindOf(err) != errs.Invalid {
			t.Errorf("somebody without a name: %s: %v", deed, err)
		}
	}
}

// Where several share a workspace, a step is decided by who was given it, in her own
// name; one person approves at one step, unless the chain allows it.
func TestOnePersonOneStep(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	chain := []assess.Step{{ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister"}}
	must(t, w.SetChain(ctx, w.Lead, id, chain))
	digest := digestOf(t, w, id)
	person := func(name string, steps ...string) workspace.Person {
		return workspace.Person{Name: name, Roles: []workspace.Role{workspace.RoleApprover}, Steps: steps}
	}
	decide := func(who workspace.Person, step, by string) error {
		_, err := w.Decide(ctx, who, id, assess.Decision{Step: step, Digest: digest, Approved: true, By: by})
		return err
	}
	lead := workspace.Person{Name: "Lena", Roles: []workspace.Role{workspace.RoleLead}}
	both := person("Hedda", "head", "minister")
	leading := workspace.Person{Name: "Lena", Roles: []workspace.Role{workspace.RoleLead, workspace.RoleApprover}, Steps: []string{"head"}}
	refused(t, decide(lead, "head", "Lena"), errs.Denied)
	refused(t, decide(leading, "minister", "Lena"), errs.Denied)
	refused(t, decide(both, "head", "Minna"), errs.Denied) // in another's name
	must(t, decide(both, "head", "Hedda"))
	refused(t, decide(both, "minister", "Hedda"), errs.Conflict)
	_, err := w.PasskeyApproval(ctx, both, id, "minister", digest) // before she is asked for it
	refused(t, err, errs.Conflict)
	must(t, decide(person("Minna", "minister"), "minister", "Minna"))

	// Who is alone is one person, too.
	must(t, w.SetChain(ctx, w.Lead, id, chain[:1]))
	must(t, w.SetChain(ctx, w.Lead, id, chain))
	must(t, decide(w.Lead, "head", w.Lead.Name))
	refused(t, decide(w.Lead, "minister", " "+w.Lead.Name), errs.Conflict)

	// The chain may allow it.
	chain[1].Again = true
	must(t, w.SetChain(ctx, w.Lead, id, chain))
	must(t, decide(both, "head", "Hedda"))
	must(t, decide(both, "minister", "Hedda"))
}
