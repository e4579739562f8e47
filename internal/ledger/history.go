package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"muster/internal/errs"
	"muster/internal/keys"
)

// historyHead is what the ledger reads of a release, a roster or an amendment to find
// what a release reckons with.
type historyHead struct {
	Kind      string `json:"kind"`
	Framework struct {
		ID string `json:"id"`
	} `json:"framework"`
	History []struct {
		Framework string `json:"framework"`
		Release   string `json:"release"`
	} `json:"history"`
	RosterDigest string `json:"roster_digest"`
	Roster       string `json:"roster"`
	Previous     string `json:"previous"`
}

// reckoned returns the digests of what a file of an earlier cycle leads to, by their
// kinds: a release to its list, an amendment to the one before it and to the roster.
func reckoned(kind Kind, body []byte) map[string][]Kind {
	var head historyHead
	if json.Unmarshal(body, &head) != nil {
		return nil
	}
	switch kind {
	case KindRelease:
		return map[string][]Kind{head.RosterDigest: {KindRoster, KindAmendment}}
	case KindAmendment:
		return map[string][]Kind{head.Roster: {KindRoster}, head.Previous: {KindAmendment}}
	}
	return nil
}

// history returns the releases that the bundle's own reckon with, of the same questions.
func (b *Bundle) history() map[string][]Kind {
	named := make(map[string][]Kind)
	for _, s := range b.Of(KindRelease) {
		var head historyHead
		if json.Unmarshal(b.Files[s.Fields["digest"]], &head) != nil {
			continue
		}
		for _, e := range head.History {
			if e.Framework == head.Framework.ID { // other questions say nothing of these
				named[e.Release] = []Kind{KindRelease}
			}
		}
	}
	return named
}

// PutHistory puts the releases that the bundle's own reckon with into it, and the lists
// that they are of, as far as they are kept: with them rule and attack are run again.
func (b *Bundle) PutHistory(kept map[string][]byte) {
	for next := b.history(); len(next) > 0; {
		found := make(map[string][]Kind)
		for digest, kinds := range next {
			body, ok := kept[digest]
			if !ok || b.Files[digest] != nil {
				continue
			}
			kind := kinds[0]
			var head historyHead
			if json.Unmarshal(body, &head) == nil && len(kinds) > 1 && head.Kind == "muster amendment v1" {
				kind = KindAmendment
			}
			b.Files[digest] = body
			b.Manifest.Files = append(b.Manifest.Files, ManifestFile{Digest: digest, Kind: kind})
			for d, k := range reckoned(kind, body) {
				found[d] = k
			}
		}
		next = found
	}
}

// EarlierRosters returns how many lists of earlier cycles are in the bundle: they name
// members, too.
func (b *Bundle) EarlierRosters() int {
	n := 0
	for _, f := range b.Manifest.Files {
		if _, ok := b.Named(f.Kind, f.Digest); f.Kind == KindRoster && !ok {
			n++
		}
	}
	return n
}

// checkNamed refuses a file that no entry of the cycle names and to which no release of
// the cycle leads.
func (b *Bundle) checkNamed() error {
	left := slices.DeleteFunc(slices.Clone(b.Manifest.Files), func(f ManifestFile) bool {
		_, ok := b.Named(f.Kind, f.Digest)
		return ok
	})
	for named := b.history(); len(left) > 0; {
		n := len(left)
		left = slices.DeleteFunc(left, func(f ManifestFile) bool {
			if !slices.Contains(named[f.Digest], f.Kind) {
				return false
			}
			maps.Copy(named, reckoned(f.Kind, b.Files[f.Digest]))
			return true
		})
		if len(left) == n {
			return partError(manifestName, fmt.Sprintf("has %s, a %s that the ledger does not name in this cycle and that no release of it reckons with", errs.Quote(filesName+left[0].Digest), left[0].Kind), nil)
		}
	}
	return nil
}

// readBody reads a file and compares it with its digest.
func (b *Bundle) readBody(ctx context.Context, source Source, f ManifestFile) error {
	name := filesName + f.Digest
	body, err := source.Resource(ctx, name, maxFile)
	if err != nil {
		return &Part{name, err}
	}
	if keys.Digest(body) != f.Digest {
		return partError(name, fmt.Sprintf("is not the %s that the ledger names", f.Kind), nil)
	}
	b.Files[f.Digest] = body
	return nil
}
