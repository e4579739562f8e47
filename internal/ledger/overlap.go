package ledger

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"muster/internal/coalition"
)

// Overlap says how many members count in exactly these releases and in no other of
// those that are in a bundle. It is for a reader who gets releases of several cycles and
// no names: what can be learnt from all of them together depends on how many are in
// several, and on nobody's name. It is the coordinator's word; that the numbers add up
// to those in the releases the reader sees itself.
type Overlap struct {
	Releases []string `json:"releases"` // digests, ascending
	Members  int      `json:"members"`
}

// maxOverlap bounds the members of all of them.
const maxOverlap = 1 << 20

// checkOverlaps refuses overlaps that no releases can have.
func (m Manifest) checkOverlaps() string {
	if len(m.Overlaps) > maxFiles {
		return "names too many parts"
	}
	releases := make(map[string]bool)
	for _, f := range m.Files {
		releases[f.Digest] = f.Kind == KindRelease
	}
	left := maxOverlap
	for i, o := range m.Overlaps {
		switch {
		case len(o.Releases) == 0 || !ascending(o.Releases):
			return "counts members of no release, or of one twice"
		case o.Members < 1 || o.Members > left:
			return "counts no members of some releases, or too many"
		case i > 0 && slices.Compare(m.Overlaps[i-1].Releases, o.Releases) >= 0:
			return "counts the members of some releases twice or out of order"
		}
		left -= o.Members
		for _, digest := range o.Releases {
			if !releases[digest] {
				return fmt.Sprintf("counts members of a release %s that it does not have", digest)
			}
		}
	}
	return ""
}

// PutReleases puts the earlier releases that the bundle's own reckon with into it,
// without the lists that name members, and in their place how many members count in
// several of all these, those of one cycle too, as far as the lists are kept.
func (b *Bundle) PutReleases(kept map[string][]byte) error {
	own := make(map[string][]byte)
	for _, s := range b.Of(KindRelease) {
		if digest := s.Fields["digest"]; b.Files[digest] != nil {
			own[digest] = b.Files[digest]
		}
	}
	all := maps.Clone(own)
	for digest := range b.history() {
		body, ok := kept[digest]
		if !ok {
			continue
		}
		all[digest] = body
		if b.Files[digest] == nil {
			b.Files[digest] = body
			b.Manifest.Files = append(b.Manifest.Files, ManifestFile{Digest: digest, Kind: KindRelease})
		}
	}
	if len(all) < 2 {
		return nil // a release by itself has nobody in common with others
	}
	overlaps, err := overlapsOf(all, kept)
	b.Manifest.Overlaps = overlaps
	return err
}

// overlapsOf counts the members of releases by the releases that they are in. A release
// whose list is not kept is left out.
func overlapsOf(releases, kept map[string][]byte) ([]Overlap, error) {
	in := make(map[coalition.MemberID][]string)
	for _, digest := range slices.Sorted(maps.Keys(releases)) {
		var head historyHead
		if json.Unmarshal(releases[digest], &head) != nil {
			continue
		}
		members, err := Listed(kept, head.RosterDigest)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			in[m] = append(in[m], digest)
		}
	}
	byReleases := make(map[string]int) // places in list
	var list []Overlap
	for _, releases := range in {
		key := fmt.Sprint(releases)
		i, ok := byReleases[key]
		if !ok {
			i = len(list)
			byReleases[key] = i
			list = append(list, Overlap{Releases: releases})
		}
		list[i].Members++
	}
	slices.SortFunc(list, func(x, y Overlap) int { return slices.Compare(x.Releases, y.Releases) })
	return list, nil
}

// Counted returns members of a release under names that stand for nobody, the same in
// every release of the bundle in which the same members count; nil where the bundle does
// not say.
func (m Manifest) Counted(release string) []coalition.MemberID {
	var list []coalition.MemberID
	for i, o := range m.Overlaps {
		if !slices.Contains(o.Releases, release) {
			continue
		}
		for n := range o.Members {
			list = append(list, coalition.MemberID(fmt.Sprintf("overlap %04d %07d", i, n)))
		}
	}
	return list
}
