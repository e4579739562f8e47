package verify

import (
	"strings"

	"muster/internal/framework"
)

// because is why something could not be checked.
type because int

// Why something could not be checked.
const (
	notHere     because = iota // the bundle leaves it out, as one for the public does
	yours                      // only the reader can bring it
	notRecorded                // it has not happened, or is not in the record
	rehearsed                  // the cycle is a rehearsal
	reasons                    // how many there are
)

// reason returns why the finding of a code could not be checked, and whether the code is
// listed: a test refuses one that is not.
func reason(code string) (why because, listed bool) {
	switch code {
	case "adoption_said", "and_more", "attack_absent", "attack_names", "attack_overlaps", "attack_previous", "charter_witness_until", "edition_absent", "edition_said", "entries_foreign", "entries_resting",
		"framework_absent", "history_elsewhere", "not_opened", "own_roster", "receipts_files", "receipts_whose", "release_absent", "rests", "roster_absent",
		"rule_previous", "totals_pack", "totals_previous", "totals_roster", "wipe_absent", "witnesses_unsigned":
		return notHere, true
	case "nothing_seen", "charter_keys", "ack_steps", "ack_other", "own_nowhere", "own_later", "own_other", "own_missing", "own_half", "held_nowhere", "witness_none", "witness_optional", "witness_unknown",
		"totals_answer":
		return yours, true
	case "nothing", "roster_few", "shares_one", "shares_none", "receipts_none", "own_aside_open", "own_early", "adoption_none", "adoption_bare", "adoption_replaced", "edition_unadopted",
		"edition_bare", "edition_unknown", "wipe_missing", "time_nobody", "time_silence", "time_charter", "time_adoption", "charter_no_witness", "rule_first",
		"totals_none":
		return notRecorded, true
	case "approval_rehearsal", "time_ahead":
		return rehearsed, true
	}
	return notHere, false
}

// inWords returns what the findings of a report come to.
func (r *Report) inWords() framework.Text {
	en, fr := counted(r.Count(Fails), words{"Nothing fails", "Rien n’échoue"}, words{"One thing fails", "Un point échoue"}, words{"%d things fail", "%d points échouent"})
	n := r.Count(Unchecked)
	if n == 0 {
		return framework.Text{"en": en + ", and everything could be checked.", "fr": fr + ", et tout a pu être vérifié."}
	}
	var by [reasons]int
	for _, f := range r.Findings {
		if f.Verdict == Unchecked {
			why, _ := reason(f.Code)
			by[why]++
		}
	}
	moreEN, moreFR := counted(n, words{}, words{"one thing could not be checked here", "un point n’a pu être vérifié ici"}, words{"%d things could not be checked here", "%d points n’ont pu être vérifiés ici"})
	var partsEN, partsFR []string
	for why, w := range [reasons]words{
		notHere:     {"%d because this bundle, or the program, does not have what it takes", "%d parce que ce dossier, ou le programme, n’a pas ce qu’il faut"},
		yours:       {"%d for which only you can bring what it takes", "%d pour lesquels vous seul pouvez apporter ce qu’il faut"},
		notRecorded: {"%d because it has not happened, or the record does not show it", "%d parce que cela n’a pas eu lieu, ou que le registre ne le montre pas"},
		rehearsed:   {"%d because this is a rehearsal", "%d parce que c’est une répétition"},
	} {
		if by[why] > 0 {
			text := w.text(by[why])
			partsEN, partsFR = append(partsEN, text["en"]), append(partsFR, text["fr"])
		}
	}
	return framework.Text{
		"en": en + "; " + moreEN + ": " + strings.Join(partsEN, "; ") + ".",
		"fr": fr + " ; " + moreFR + " : " + strings.Join(partsFR, " ; ") + ".",
	}
}

// counted returns a number of things in words.
func counted(n int, none, one, many words) (en, fr string) {
	switch n {
	case 0:
		return none.en, none.fr
	case 1:
		return one.en, one.fr
	}
	text := many.text(n)
	return text["en"], text["fr"]
}
