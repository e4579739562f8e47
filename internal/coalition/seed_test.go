package coalition_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"muster/internal/coalition"
	"muster/internal/errs"
)

func newPart(t testing.TB, name string) coalition.SeedPart {
	t.Helper()
	p, err := coalition.NewSeedPart(newRand(name))
	must(t, err)
	return p
}

func TestSeedCeremony(t *testing.T) {
	t.Parallel()
	leader, helper := newPart(t, "leader"), newPart(t, "helper")
	seed, err := coalition.CombineSeed(leader, helper, leader.Commitment(), helper.Commitment())
	must(t, err)
	want := sha256.Sum256(slices.Concat([]byte("muster seed v1"), leader[:], helper[:]))
	if seed != want {
		t.Error("the seed is not the one that the documents define")
	}
	if leader.Commitment() != sha256.Sum256(append([]byte("muster seed part v1"), leader[:]...)) {
		t.Error("the commitment is not the one that the documents define")
	}
	if seed.Digest() != sha256.Sum256(want[:]) {
		t.Error("the digest is not that of the seed")
	}

	seeds := map[coalition.Seed]string{seed: "the seed"}
	for name, parts := range map[string][2]coalition.SeedPart{
		"another Leader": {newPart(t, "x"), helper}, "another Helper": {leader, newPart(t, "x")}, "hosts exchanged": {helper, leader},
	} {
		other, err := coalition.CombineSeed(parts[0], parts[1], parts[0].Commitment(), parts[1].Commitment())
		must(t, err)
		if same, ok := seeds[other]; ok {
			t.Errorf("%s has the seed of %s", name, same)
		}
		seeds[other] = name
	}
	for i := range leader { // every bit of a part counts
		changed := leader
		changed[i] ^= 0x80
		other, err := coalition.CombineSeed(changed, helper, changed.Commitment(), helper.Commitment())
		must(t, err)
		if other == seed {
			t.Errorf("byte %d of the Leader's part does not count", i)
		}
	}
}

func TestSeedCeremonyRefuses(t *testing.T) {
	t.Parallel()
	leader, helper, x := newPart(t, "leader"), newPart(t, "helper"), newPart(t, "x")
	for name, row := range map[string]struct {
		leader, helper             coalition.SeedPart
		leaderCommits, helperWords [32]byte
		names                      string
	}{
		"the Leader reveals another":  {x, helper, leader.Commitment(), helper.Commitment(), "Leader"},
		"the Helper reveals another":  {leader, x, leader.Commitment(), helper.Commitment(), "Helper"},
		"commitments exchanged":       {leader, helper, helper.Commitment(), leader.Commitment(), "Leader"},
		"the part as its commitment":  {leader, helper, leader, helper.Commitment(), "Leader"},
		"no commitment":               {leader, helper, leader.Commitment(), [32]byte{}, "Helper"},
		"the Helper repeats all that": {leader, leader, leader.Commitment(), leader.Commitment(), "both hosts"},
	} {
		seed, err := coalition.CombineSeed(row.leader, row.helper, row.leaderCommits, row.helperWords)
		wantKind(t, name, err, errs.Denied)
		if err != nil && !strings.Contains(err.Error(), row.names) {
			t.Errorf("%s: %v does not name %s", name, err, row.names)
		}
		if seed != (coalition.Seed{}) {
			t.Errorf("%s: a seed all the same", name)
		}
	}
}

func TestNewSeedPartNeedsRandomness(t *testing.T) {
	t.Parallel()
	broken := errors.New("no randomness")
	if p, err := coalition.NewSeedPart(iotest.ErrReader(broken)); !errors.Is(err, broken) || p != (coalition.SeedPart{}) {
		t.Errorf("%v", err)
	}
	if p, err := coalition.NewSeedPart(bytes.NewReader(make([]byte, 31))); err == nil || p != (coalition.SeedPart{}) {
		t.Error("31 bytes were enough")
	}
}

// No way of printing shows a seed or a part of one.
func TestSeedsAreNotPrinted(t *testing.T) {
	t.Parallel()
	seed := coalition.Seed(newPart(t, "secret"))
	part := newPart(t, "secret")
	// Every form in which the bytes could appear.
	forms := func(text string) bool {
		lower := strings.ToLower(text)
		for i := range len(seed) - 3 {
			piece := seed[i : i+4]
			numbers := strings.Trim(fmt.Sprint([]byte(piece)), "[]")
			for _, form := range []string{
				string(piece), hex.EncodeToString(piece), numbers, strings.ReplaceAll(numbers, " ", ","), strings.ReplaceAll(numbers, " ", ", "),
				fmt.Sprintf("%x %x", piece[0], piece[1:2]) + fmt.Sprintf(" %x", piece[2:3]),
				fmt.Sprintf("0x%x, 0x%x, 0x%x, 0x%x", piece[0], piece[1], piece[2], piece[3]),
				fmt.Sprintf("%o %o %o", piece[0], piece[1], piece[2]), fmt.Sprintf("%b %b", piece[0], piece[1]),
			} {
				if strings.Contains(lower, strings.ToLower(form)) {
					return true
				}
			}
		}
		return strings.Contains(text, base64.StdEncoding.EncodeToString(seed[:])[:8])
	}
	if !forms(fmt.Sprint([]byte(seed[:]))) || !forms(fmt.Sprintf("%x", []byte(seed[:]))) || !forms(fmt.Sprintf("%#v", [32]byte(seed))) {
		t.Fatal("the test does not see a seed that is printed")
	}
	type holder struct {
		Seed    coalition.Seed
		Part    coalition.SeedPart
		Pointer *coalition.Seed
	}
	values := map[string]any{
		"seed": seed, "part": part, "pointer": &seed, "pointer to part": &part, "list": []coalition.Seed{seed}, "array": [1]coalition.SeedPart{part},
		"map": map[string]coalition.Seed{"x": seed}, "field": holder{seed, part, &seed}, "pointer to field": &holder{Seed: seed},
	}
	for name, value := range values {
		// Not %p and %w, which ask no method of a value that is no pointer and no
		// error: go vet refuses those.
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%t", "%e", "%g", "%5v", "%-80v", "%.3s", "%z"} {
			if text := fmt.Sprintf(verb, value); forms(text) {
				t.Errorf("%s with %s prints %s", name, verb, text)
			}
		}
		if text := fmt.Sprint(value) + fmt.Sprintln(value); forms(text) {
			t.Errorf("%s prints %s", name, text)
		}
		if b, err := json.Marshal(value); err == nil || forms(string(b)) {
			t.Errorf("%s goes into JSON: %s, %v", name, b, err)
		}
		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(handler).Info("x", "value", value, slog.Group("group", "value", value))
		}
		if forms(log.String()) {
			t.Errorf("%s is logged: %s", name, log.String())
		}
		if err := fmt.Errorf("x %v: %w", value, errors.New("y")); forms(err.Error()) {
			t.Errorf("%s is in the error %v", name, err)
		}
	}
}
