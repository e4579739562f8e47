package verify_test

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition/coalitiontest"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/verify"
)

const year = 365 * 24 * time.Hour

// named is a world whose charter names ledger and witnesses.
func named(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, harbour, 12, 1, func(cfg *ledgertest.Config) { cfg.Named = true })
}

// later enters something of another cycle, which no witness of this one sees.
func (w *world) later() {
	w.statements = append(w.statements, ledger.Statement{
		Version: 1, Kind: ledger.KindPhase, Cycle: "another", Charter: ledger.Digest([]byte("another")),
		Fields: map[string]string{"number": "1", "from": "draft", "to": "consultation", "reason": ""},
	})
}

// TestWitnesses is who signed what of a record, and what its readers are told. What
// somebody else signed as well is no fault of anybody.
func TestWitnesses(t *testing.T) {
	t.Parallel()
	afterWipe := time.Unix(coalitiontest.Wipe+3600, 0)
	rows := []struct {
		name      string
		do        func(*world, *verify.Config)
		fails     []string // all codes that fail
		says      []string // codes that are there, whatever their verdict
		saysNot   []string
		keptCount bool // the checkpoint is one to be kept
	}{
		{"both", func(*world, *verify.Config) {}, nil, []string{"witnessed", "charter_witnessed"}, []string{"witness_unknown"}, true},
		{"a reader names one of two", func(_ *world, cfg *verify.Config) {
			cfg.Policy.Witnesses = cfg.Policy.Witnesses[:1]
		}, nil, []string{"witnessed", "charter_witnessed"}, []string{"witness_unknown"}, true},
		{"a reader names nobody", func(_ *world, cfg *verify.Config) {
			cfg.Policy.Witnesses, cfg.Policy.Threshold = nil, 0
		}, nil, []string{"witness_none", "charter_witnessed"}, []string{"witness_unknown"}, true},
		{"somebody whom nobody names has signed, too", func(w *world, _ *verify.Config) {
			w.cosigners = append(slices.Clone(w.cosigners), ledgertest.Signer(w, "stranger.example"))
			w.early[len(w.statements)-1] = afterWipe.Add(-time.Minute)
		}, nil, []string{"witnessed", "charter_witnessed", "witness_unknown"}, nil, true},
		{"a witness was replaced when the cycle was over", func(w *world, cfg *verify.Config) {
			w.early[len(w.statements)] = afterWipe
			w.later()
			w.before, w.cosigners = w.cosigners, []*keys.Signer{ledgertest.Signer(w, "second.example")}
			w.trusts(cfg, "second.example")
		}, nil, []string{"witnessed", "charter_witnessed"}, []string{"witness_unknown", "charter_witness_until"}, true},
		{"a reader of that time still names those of the cycle", func(w *world, _ *verify.Config) {
			w.early[len(w.statements)] = afterWipe
			w.later()
			w.before, w.cosigners = w.cosigners, []*keys.Signer{ledgertest.Signer(w, "second.example")}
		}, nil, []string{"witnessed_cycle", "charter_witnessed", "witness_unknown"}, nil, false},
		{"a witness was replaced within the cycle", func(w *world, cfg *verify.Config) {
			w.early[len(w.statements)-1] = afterWipe
			w.before, w.cosigners = w.cosigners, []*keys.Signer{ledgertest.Signer(w, "second.example")}
			w.trusts(cfg, "second.example")
		}, nil, []string{"witnessed", "charter_witness_until"}, nil, true},
		{"the charter's witnesses are left out within the cycle", func(w *world, cfg *verify.Config) {
			w.early[len(w.statements)-1] = afterWipe
			w.before, w.cosigners = w.cosigners, []*keys.Signer{}
			cfg.Policy.Witnesses, cfg.Policy.Threshold = nil, 0
		}, []string{"charter_witness_missing"}, nil, nil, false},
		{"the charter's witnesses never saw it", func(w *world, cfg *verify.Config) {
			w.cosigners = []*keys.Signer{ledgertest.Signer(w, "second.example")}
			w.trusts(cfg, "second.example")
		}, []string{"charter_witness_missing"}, []string{"witnessed"}, nil, false},
		{"no witness at all", func(w *world, _ *verify.Config) { w.cosigners = nil }, []string{"charter_witness_missing", "witness_missing"}, nil, nil, false},
		{"two are wanted and one of them is behind", func(w *world, cfg *verify.Config) {
			cfg.Policy.Threshold = 2
			w.behind = map[*keys.Signer]time.Duration{w.l.Witnesses[1]: 2 * year}
		}, nil, []string{"witnessed", "times"}, []string{"time_roster", "time_step", "time_wipe"}, true},
		{"a witness goes back in time", func(w *world, _ *verify.Config) {
			w.early[len(w.statements)-1] = afterWipe
			w.before = w.l.Witnesses
			back := *w.l.Witnesses[1]
			w.cosigners = []*keys.Signer{w.l.Witnesses[0], &back}
			w.behind = map[*keys.Signer]time.Duration{&back: 2 * year}
		}, []string{"witness_clock"}, []string{"witnessed", "times"}, []string{"time_roster", "time_step", "time_wipe"}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := named(t)
			cfg := w.config()
			row.do(w, &cfg)
			r := w.verify(cfg)
			fails := codes(r, verify.Fails)
			slices.Sort(fails)
			if !slices.Equal(fails, row.fails) {
				t.Errorf("fails %v, want %v\n%s", fails, row.fails, listing(r))
			}
			all := slices.Concat(fails, codes(r, verify.Holds), codes(r, verify.Unchecked))
			for _, code := range row.says {
				if !slices.Contains(all, code) {
					t.Errorf("%s is not said\n%s", code, listing(r))
				}
			}
			for _, code := range row.saysNot {
				if slices.Contains(all, code) {
					t.Errorf("%s is said\n%s", code, listing(r))
				}
			}
			unseen := slices.Contains(row.says, "witnessed_cycle") // nothing is wrong, and what came later is to be seen yet
			if (r.Checkpoint != nil) != row.keptCount || (r.Refused != nil) != (!row.keptCount && !unseen) || r.Unseen != unseen {
				t.Errorf("a checkpoint to be kept: %t, refused: %t, unseen: %t", r.Checkpoint != nil, r.Refused != nil, r.Unseen)
			}
		})
	}
}

// TestCharterPolicy: witnesses of a charter that nobody can look for are said to be
// wrong, as of a record that is to be its own witness.
func TestCharterPolicy(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, harbour, 12, 0, func(cfg *ledgertest.Config) { cfg.Vouching = true })
	if f := fails(t, w.verify(w.config()), "charter_policy"); f.Step != verify.StepCharter {
		t.Errorf("it is said at %s", f.Step)
	}
}

// TestUnwitnessedCharter: of a charter of real answers that wants nobody to have seen its
// record, as others may have signed one, it is said so.
func TestUnwitnessedCharter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name            string
		unmarked, named bool
		want            bool
	}{
		{"synthetic, without", false, false, false},
		{"real, without", true, false, true},
		{"real, with one", true, true, false},
	} {
		w := newWorldOf(t, harbour, 12, 0, func(cfg *ledgertest.Config) { cfg.Unmarked, cfg.Named = row.unmarked, row.named })
		r := w.verify(w.config())
		if got := slices.Contains(codes(r, verify.Unchecked), "charter_no_witness"); got != row.want || r.Failed() {
			t.Errorf("%s: %t\n%s", row.name, got, listing(r))
		}
	}
}

// trusts has the reader name one witness alone.
func (w *world) trusts(cfg *verify.Config, name string) {
	w.Helper()
	public, err := ledgertest.Signer(w, name).Public().Cosigner()
	w.must(err)
	cfg.Policy.Witnesses, cfg.Policy.Threshold = []keys.Public{public}, 1
}

// TestForgedCosignature: a signature under the key of a witness that the reader, or
// the charter, names and that is not genuine fails, on every checkpoint, with its
// place; one by anybody else is not looked at.
func TestForgedCosignature(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, part string
		of         int // the line
		edit       func(*verify.Config)
		fails      bool
	}{
		{"the reader's, on the newest", "checkpoint", 1, func(*verify.Config) {}, true},
		{"the reader's, on an earlier one", "checkpoints/10", 2, func(*verify.Config) {}, true},
		{"the charter's, which the reader does not name", "checkpoints/10", 2, func(cfg *verify.Config) { cfg.Policy.Witnesses = cfg.Policy.Witnesses[:1] }, true},
		{"a stranger's", "checkpoint", 3, func(*verify.Config) {}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := named(t)
			w.cosigners = append(slices.Clone(w.cosigners), ledgertest.Signer(w, "stranger.example"))
			w.early[10] = w.at
			cfg := w.config()
			row.edit(&cfg)
			members := w.bundle()
			for i := range members {
				if members[i].Name == row.part {
					members[i].Body = forge(t, members[i].Body, row.of)
				}
			}
			r, err := verify.Folder(t.Context(), members, cfg)
			w.must(err)
			found := slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code == "witness_forged" && f.Place == row.part })
			if found != row.fails || r.Failed() != row.fails {
				t.Errorf("found %t, fails %t\n%s", found, r.Failed(), listing(r))
			}
		})
	}
}

// forge changes the last byte of a signature of a note.
func forge(t *testing.T, note []byte, line int) []byte {
	t.Helper()
	text, signatures, _ := bytes.Cut(note, []byte("\n\n"))
	lines := strings.SplitAfter(string(signatures), "\n")
	name, encoded, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(lines[line], "\u2014 "), "\n"), " ")
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	lines[line] = "\u2014 " + name + " " + base64.StdEncoding.EncodeToString(b) + "\n"
	return []byte(string(text) + "\n\n" + strings.Join(lines, ""))
}
