package ledger

import "slices"

// Word is how a silence procedure over a text ended, as an entry has it.
type Word struct {
	Procedure string // its id; empty in an entry of the first form
	Outcome   string // adopted or reopened
}

// LastWord returns how the last procedure over a text ended, of entries in the order of
// the ledger: by the entry of its end, or by the step that ended it. A later procedure
// takes back what an earlier one adopted. Without such an entry it is the zero value.
func LastWord(list []Statement, subject, digest string) Word {
	steps := stepsEnding(list, digest)
	var last Word
	for i, s := range list {
		switch {
		case s.Kind == KindAdoption && s.Fields["subject"] == subject && s.Fields["digest"] == digest:
			last = Word{s.Fields["procedure"], s.Fields["outcome"]}
		case steps[i] != "":
			last = Word{s.Fields["procedure"], steps[i]}
		}
	}
	return last
}

// stepsEnding returns the outcome of each step that ended the silence over a text, by
// the step's place. A step that gives no text is about the one before it.
func stepsEnding(list []Statement, digest string) map[int]string {
	var places []int
	for i, s := range list {
		if s.Kind == KindSilence {
			places = append(places, i)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int { return list[a].Number("number") - list[b].Number("number") })
	text, ended := make(map[string]string), make(map[int]string)
	for _, i := range places {
		s := list[i]
		if s.Fields["text"] != "" {
			text[s.Fields["procedure"]] = s.Fields["text"]
		}
		if text[s.Fields["procedure"]] != digest {
			continue
		}
		switch s.Fields["act"] {
		case "adopt":
			ended[i] = "adopted"
		case "reopen":
			ended[i] = "reopened"
		}
	}
	return ended
}
