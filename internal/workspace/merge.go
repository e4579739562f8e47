package workspace

import (
	"errors"
	"maps"
	"slices"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Clash is what two people made of the same parts of something that is kept whole: a
// body, a section, a finding. Nothing of Mine was kept. Whoever has decided keeps it
// again, with Newest as its base. It is an error of kind Conflict.
type Clash[T any] struct {
	Base   T       // what Mine began with
	Mine   T       //
	Theirs T       // what is kept
	Merged T       // theirs, with what only Mine changed
	Newest Revised // of theirs
	Parts  []string
}

// Error returns the message.
func (c *Clash[T]) Error() string { return c.Unwrap().Error() }

// Unwrap returns the refusal: the clash holds what somebody wrote, and it does not.
func (c *Clash[T]) Unwrap() error {
	return errs.New(errs.Conflict, "somebody else has changed it meanwhile", "load it again, and decide about what it is now")
}

// part is a part of something that is edited, merged and shown by itself.
type part[T any] struct {
	name string
	same func(a, b T) bool
	take func(to *T, from T) // gives to the part that from has
}

// mergeParts takes together what two people made of the same thing, as
// [assess.Merge] does with entries: a part that one of them changed has that one's
// value; one that they changed differently clashes, and has theirs in merged.
func mergeParts[T any](parts []part[T], base, mine, theirs T) (merged T, clashing []string) {
	merged = theirs
	for _, p := range parts {
		switch {
		case p.same(base, mine) || p.same(mine, theirs): // theirs it is
		case p.same(base, theirs):
			p.take(&merged, mine)
		default:
			clashing = append(clashing, p.name)
		}
	}
	return merged, clashing
}

// keepMerged keeps mine, which began with the revision base, 0 if it is new. What
// others changed meanwhile is merged, and gives no revision where it is there already;
// what clashes is a [Clash]. It is a plain
// Conflict if there is no such base to merge from: something new under an id that is
// taken, or something that somebody removed. finish, if not nil, sees what is kept
// before it is.
func keepMerged[T any](c change, key Key, base Revision, mine T, parts []part[T], finish func(*T)) (T, Revised, error) {
	if finish == nil {
		finish = func(*T) {}
	}
	theirs, newest, err := get[T](c, key)
	if err != nil && !errors.Is(err, errNone) {
		return mine, Revised{}, err
	}
	if err != nil || base == 0 || base == newest.Rev {
		finish(&mine)
		revised, err := c.replace(key, base, mine)
		return mine, revised, err
	}
	began, err := kept[T](c, key, base)
	if err != nil {
		return mine, Revised{}, err
	}
	merged, clashing := mergeParts(parts, began, mine, theirs)
	if len(clashing) > 0 {
		return mine, Revised{}, &Clash[T]{Base: began, Mine: mine, Theirs: theirs, Merged: merged, Newest: newest, Parts: clashing}
	}
	if sameParts(parts, merged, theirs) { // it is there already
		return theirs, newest, nil
	}
	finish(&merged)
	revised, err := c.put(key, newest.Rev, merged)
	return merged, revised, err
}

func sameParts[T any](parts []part[T], a, b T) bool {
	return !slices.ContainsFunc(parts, func(p part[T]) bool { return !p.same(a, b) })
}

// kept returns what a key had as a revision. It is a Conflict if it had none.
func kept[T any](r Reader, key Key, rev Revision) (T, error) {
	var value T
	record, ok, err := r.At(key, rev)
	if err != nil {
		return value, err
	}
	if !ok || record.Value == nil {
		return value, (*Clash[T])(nil).Unwrap()
	}
	return value, decode(record, &value)
}

// text parts of T.
func words[T any](name string, of func(*T) *string) part[T] {
	return part[T]{
		name: name,
		same: func(a, b T) bool { return *of(&a) == *of(&b) },
		take: func(to *T, from T) { *of(to) = *of(&from) },
	}
}

// choice is words for any value that can be compared.
func choice[T any, V comparable](name string, of func(*T) *V) part[T] {
	return part[T]{
		name: name,
		same: func(a, b T) bool { return *of(&a) == *of(&b) },
		take: func(to *T, from T) { *of(to) = *of(&from) },
	}
}

func bodyParts() []part[assess.Body] {
	return []part[assess.Body]{
		words("name", func(b *assess.Body) *string { return &b.Name }),
		words("kind", func(b *assess.Body) *string { return &b.Kind }),
		words("scope", func(b *assess.Body) *string { return &b.Scope }),
	}
}

func sectionParts() []part[Section] {
	return []part[Section]{
		words("title", func(s *Section) *string { return &s.Title }),
		{
			"slice",
			func(a, b Section) bool { return slices.Equal(a.Areas, b.Areas) && slices.Equal(a.Outcomes, b.Outcomes) },
			func(to *Section, from Section) { to.Areas, to.Outcomes = from.Areas, from.Outcomes },
		},
		{
			"bodies",
			func(a, b Section) bool { return slices.Equal(a.Bodies, b.Bodies) },
			func(to *Section, from Section) { to.Bodies = from.Bodies },
		},
		{
			"units",
			func(a, b Section) bool { return maps.Equal(a.Units, b.Units) },
			func(to *Section, from Section) { to.Units = from.Units },
		},
		words("due", func(s *Section) *string { return &s.Due }),
		words("contact", func(s *Section) *string { return &s.Contact }),
	}
}

func findingParts() []part[assess.Finding] {
	return []part[assess.Finding]{
		words("seen", func(f *assess.Finding) *string { return &f.Seen }),
		words("found", func(f *assess.Finding) *string { return &f.Found }),
		{
			"verified",
			func(a, b assess.Finding) bool { return a.Verified == b.Verified },
			func(to *assess.Finding, from assess.Finding) { to.Verified = from.Verified },
		},
		words("reply", func(f *assess.Finding) *string { return &f.Reply }),
	}
}

func actionParts() []part[assess.Action] {
	return []part[assess.Action]{
		choice("nothing", func(a *assess.Action) *bool { return &a.Nothing }),
		words("text", func(a *assess.Action) *string { return &a.Text }),
		words("owner", func(a *assess.Action) *string { return &a.Owner }),
		words("due", func(a *assess.Action) *string { return &a.Due }),
		words("cost", func(a *assess.Action) *string { return &a.Cost }),
		choice("funding", func(a *assess.Action) *assess.Funding { return &a.Funding }),
		choice("finished", func(a *assess.Action) *bool { return &a.Finished }),
	}
}

func contributionParts() []part[keptContribution] {
	return []part[keptContribution]{
		{
			"level",
			// To confirm a level is to give it.
			func(a, b keptContribution) bool { return a.Level == b.Level && a.Carried == b.Carried },
			func(to *keptContribution, from keptContribution) { to.Level, to.Carried = from.Level, from.Carried },
		},
		words("reason", func(c *keptContribution) *string { return &c.Reason }),
		choice("evidence", func(c *keptContribution) *framework.Grade { return &c.Evidence }),
		words("place", func(c *keptContribution) *string { return &c.Place }),
		words("note", func(c *keptContribution) *string { return &c.Note }),
	}
}
