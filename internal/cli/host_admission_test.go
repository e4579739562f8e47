package cli

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/keys"
)

// shelf is a host's frozen rosters.
type shelf map[dap.TaskID]coalition.FrozenRoster

func (s shelf) FrozenRoster(_ context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	frozen, ok := s[task]
	if !ok {
		return coalition.FrozenRoster{}, errs.New(errs.Conflict, "the roster is not frozen", "")
	}
	return frozen, nil
}

// twoCohorts is a cycle whose charter has a second cohort, the coast: the first so
// many of 32 members.
func twoCohorts(t *testing.T, coast int) (*coalitiontest.Cycle, coalition.Charter) {
	t.Helper()
	var members []coalition.MemberID
	for i := range 32 {
		members = append(members, coalition.MemberID(fmt.Sprintf("m%02d", i)))
	}
	cycle := coalitiontest.New(t, coalitiontest.Config{Members: members, Layout: []byte(`{"blocks":[{"buckets":["a","b"]}]}`), Sizes: []uint16{2}})
	charter := cycle.Charter
	task := cycle.Task(t)
	second := coalition.Cohort{ID: "coast", Members: charter.Cohorts[0].Members[:coast], MinimumBatch: coalition.MinimumBatch(coast), ReleaseMinimum: coalition.ReleaseMinimum}
	configuration := task.Configuration
	configuration.MinBatchSize = uint64(second.MinimumBatch)
	encoded, err := dap.Encode(task.Variant, configuration)
	if err != nil {
		t.Fatal(err)
	}
	id, err := dap.DeriveTaskID(cycle.Seed.Digest(), configuration)
	if err != nil {
		t.Fatal(err)
	}
	second.Task = coalition.Task{ID: id.String(), Variant: task.Variant.Tag(), Configuration: base64.RawURLEncoding.EncodeToString(encoded)}
	charter.Cohorts = append(slices.Clone(charter.Cohorts), second)
	if err := charter.Check(); err != nil {
		t.Fatal(err)
	}
	return cycle, charter
}

// freeze puts the signed roster of a cohort's first members on the shelf.
func (s shelf) freeze(t *testing.T, cycle *coalitiontest.Cycle, charter coalition.Charter, cohort string, members int) dap.TaskID {
	t.Helper()
	task, err := charter.OpenTask(cohort)
	if err != nil {
		t.Fatal(err)
	}
	var entries []coalition.RosterEntry
	for i, m := range task.Cohort.Members[:members] {
		entries = append(entries, coalition.RosterEntry{Member: m.ID, Report: dap.ReportID{byte(i), 1}.String(), Sequence: 1, Receipt: strings.Repeat("ab", 32)})
	}
	body, err := keys.Canonical(coalition.NewRoster(task.ID, entries))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := keys.Sign(keys.KindRoster, body, cycle.Leader, cycle.Helper)
	if err != nil {
		t.Fatal(err)
	}
	s[task.ID] = coalition.FrozenRoster{Roster: coalition.SignedRoster{Body: body, Signature: sig}}
	return task.ID
}

// TestAdmissionAuditsFrozenRosters: nothing is added up before all rosters are
// frozen, and not the group whose difference to another is too small.
func TestAdmissionAuditsFrozenRosters(t *testing.T) {
	t.Parallel()
	cycle, charter := twoCohorts(t, 20)
	rosters := shelf{}
	a := admission{charter: charter, rosters: rosters}
	all := rosters.freeze(t, cycle, charter, coalitiontest.Cohort, 32)
	if err := a.Admit(t.Context(), all); errs.KindOf(err) != errs.Unavailable || !strings.Contains(err.Error(), `"coast" is not frozen`) {
		t.Errorf("with one roster of two: %v", err)
	}
	coast := rosters.freeze(t, cycle, charter, "coast", 20)
	for name, task := range map[string]dap.TaskID{"all": all, "coast": coast} {
		if err := a.Admit(t.Context(), task); err != nil {
			t.Errorf("%s as planned: %v", name, err)
		}
	}
	// Five of those inland are late: seven are left between the two.
	rosters.freeze(t, cycle, charter, coalitiontest.Cohort, 27)
	if err := a.Admit(t.Context(), all); err != nil {
		t.Errorf("the larger group: %v", err)
	}
	if err := a.Admit(t.Context(), coast); errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "isolates 7 members") {
		t.Errorf("the smaller group: %v", err)
	}
	// A roster that one host alone signed is none.
	forged := rosters[all]
	sig, err := keys.Sign(keys.KindRoster, forged.Roster.Body, cycle.Leader)
	if err != nil {
		t.Fatal(err)
	}
	rosters[all] = coalition.FrozenRoster{Roster: coalition.SignedRoster{Body: forged.Roster.Body, Signature: sig}}
	if err := a.Admit(t.Context(), coast); err == nil {
		t.Error("a roster with one signature is audited")
	}
}
