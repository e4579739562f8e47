package rehearse_test

import (
	"bytes"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/rehearse"
	"muster/internal/release"
)

// TestGuests rehearses a cohort whose hosts are members of another: nobody in it
// is known for hosting, and its release needs eight members and not ten.
func TestGuests(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	random := mathrand.New(mathrand.NewPCG(8, 8))
	members := randomCoalition(random, small, 9, 9)
	cfg := config(t, random, small, members)
	cfg.Hosts = [2]coalition.MemberID{"one ally", "another ally"}
	cfg.Cohort, cfg.Guests = "partners", true
	result, err := rehearse.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	check(t, cfg, members, result)
	if result.Release == nil {
		t.Fatalf("no release: %v", result.Refused)
	}
	r := result.Release.Release
	if r.Cohort != "partners" || r.Participation.Hosts != 0 || !slices.Equal(r.HostedBy, cfg.Hosts[:]) {
		t.Errorf("cohort %q, %d hosts in it, hosted by %q", r.Cohort, r.Participation.Hosts, r.HostedBy)
	}
}

// TestPostponed moves the deadline twice: the release has both reasons, the record
// both addenda, and the charter's digest is what it was.
func TestPostponed(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	random := mathrand.New(mathrand.NewPCG(9, 9))
	members := randomCoalition(random, small, 12, 12)
	cfg := config(t, random, small, members)
	cfg.Postponed = []rehearse.Postponement{{By: 7 * 24 * time.Hour, Reason: "an exercise"}, {By: 24 * time.Hour, Reason: "a holiday"}}
	result, err := rehearse.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	charter, err := result.Charter.Open()
	if err != nil {
		t.Fatal(err)
	}
	deadline, err := charter.DeadlineAfter(result.Addenda)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := deadline.Sub(time.Unix(charter.Deadline, 0)), 8*24*time.Hour; got != want {
		t.Errorf("postponed by %v, want %v", got, want)
	}
	for i, a := range result.Addenda {
		if !bytes.Contains(result.Ledger, []byte(a.Digest())) {
			t.Errorf("addendum %d is not in the record", i+1)
		}
	}
	first := time.Unix(charter.Deadline, 0).Add(7 * 24 * time.Hour).Unix()
	want := []release.Postponement{{Deadline: first, Reason: "an exercise"}, {Deadline: deadline.Unix(), Reason: "a holiday"}}
	r := result.Release.Release
	if !slices.Equal(r.Calendar.Postponed, want) || r.Calendar.Deadline != deadline.Unix() || r.CharterDigest != result.Charter.Digest() {
		t.Errorf("the release has the calendar %+v and the charter %s", r.Calendar, r.CharterDigest)
	}
}

// TestNoReasonNoPostponement: members read why.
func TestNoReasonNoPostponement(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	random := mathrand.New(mathrand.NewPCG(10, 10))
	cfg := config(t, random, small, randomCoalition(random, small, 12, 12))
	cfg.Postponed = []rehearse.Postponement{{By: time.Hour}}
	if _, err := rehearse.Run(t.Context(), cfg); err == nil {
		t.Error("a deadline was moved without a reason")
	}
}
