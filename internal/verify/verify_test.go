package verify_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/release"
	"muster/internal/release/releasetest"
	"muster/internal/verify"
)

// pack is a small pack of two areas.
func pack(t testing.TB) *framework.Pack {
	t.Helper()
	return nil
}

var (
	_ = bytes.Equal
	_ = errors.New
	_ = fmt.Sprint
	_ = slices.Contains[[]int]
	_ = strings.Contains
	_ = time.Now
	_ = coalition.Draft
	_ = coalitiontest.Cohort
	_ = disclosure.MinimumBand
	_ = keys.KindRelease
	_ = ledger.KindSilence
	_ = ledgertest.New
	_ = release.Kind
	_ = releasetest.New
)

// TestHonest checks the bundle of an honest ledger whose release is only a head.
func TestHonest(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 12, Struck: 1})
	r, err := verify.Folder(t.Context(), l.Bundle(t), verify.Config{Policy: l.Policy, Now: l.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Logf("%s %s: %s | %s | %s", f.Step, f.Verdict, f.Text.In("en"), f.Detail, f.Place)
	}
}
