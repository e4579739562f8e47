package assess

// Field names a part of an [Entry] that is edited, merged and shown by itself.
type Field string

// The fields, in the order in which pages show them.
const (
	FieldLevel      Field = "level"
	FieldReason     Field = "reason"
	FieldTarget     Field = "target"
	FieldTargetDate Field = "target_date"
	FieldEvidence   Field = "evidence"
	FieldPlace      Field = "place" // of a body's answer alone
	FieldNote       Field = "note"
	FieldAssignee   Field = "assignee"
	FieldFlagged    Field = "flagged"
)

// Fields returns all of them.
func Fields() []Field {
	return []Field{FieldLevel, FieldReason, FieldTarget, FieldTargetDate, FieldEvidence, FieldPlace, FieldNote, FieldAssignee, FieldFlagged}
}

// differs reports whether a field has another value in a than in b. Carried goes
// with the level: to confirm a level is to give it. What a reason is about goes with
// the reason; who keeps the entry says it, and nobody edits it.
func (f Field) differs(a, b Entry) bool {
	switch f {
	case FieldLevel:
		return a.Level != b.Level || a.Carried != b.Carried
	case FieldReason:
		return a.Reason != b.Reason
	case FieldTarget:
		return a.Target != b.Target
	case FieldTargetDate:
		return a.TargetDate != b.TargetDate
	case FieldEvidence:
		return a.Evidence != b.Evidence
	case FieldPlace:
		return a.Place != b.Place
	case FieldNote:
		return a.Note != b.Note
	case FieldAssignee:
		return a.Assignee != b.Assignee
	case FieldFlagged:
		return a.Flagged != b.Flagged
	}
	return false
}

// take gives to the value of the field that from has.
func (f Field) take(to *Entry, from Entry) {
	switch f {
	case FieldLevel:
		to.Level, to.Carried = from.Level, from.Carried
	case FieldReason:
		to.Reason, to.About = from.Reason, from.About
	case FieldTarget:
		to.Target = from.Target
	case FieldTargetDate:
		to.TargetDate = from.TargetDate
	case FieldEvidence:
		to.Evidence = from.Evidence
	case FieldPlace:
		to.Place = from.Place
	case FieldNote:
		to.Note = from.Note
	case FieldAssignee:
		to.Assignee = from.Assignee
	case FieldFlagged:
		to.Flagged = from.Flagged
	}
}

// Changed returns the fields in which two entries differ.
func Changed(a, b Entry) []Field {
	var fields []Field
	for _, f := range Fields() {
		if f.differs(a, b) {
			fields = append(fields, f)
		}
	}
	return fields
}

// Merge takes together what two people made of the same entry: base is what both
// began with, mine what one wants to save, theirs what the other saved meanwhile.
// A field that one of them changed has that one's value, one that both changed to
// the same value has it, and one that they changed differently is a conflict and
// has theirs in merged: nothing that was saved is lost by a merge.
func Merge(base, mine, theirs Entry) (merged Entry, conflicts []Field) {
	merged = theirs
	for _, f := range Fields() {
		switch {
		case !f.differs(base, mine) || !f.differs(mine, theirs): // theirs it is
		case !f.differs(base, theirs):
			f.take(&merged, mine)
		default:
			conflicts = append(conflicts, f)
		}
	}
	return merged, conflicts
}

// Take returns theirs with the given fields of mine: what somebody decides who was
// shown a conflict.
func Take(theirs, mine Entry, fields ...Field) Entry {
	for _, f := range fields {
		f.take(&theirs, mine)
	}
	return theirs
}
