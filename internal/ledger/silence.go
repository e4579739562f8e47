package ledger

import (
	"encoding/json"
	"strconv"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// KindSilence is a step of a silence procedure, signed by its chair, who is the
// coordinator. The file names the parties, so it is for the coalition; its digest,
// and what it did to which text, are for everybody.
const KindSilence Kind = "silence"

// silenceRow is its row in the table.
func silenceRow() Row {
	return Row{
		Kind: KindSilence, ID: []string{"procedure", "number"}, Cover: CoverFile, File: "silence step", By: []string{"coordinator"},
		Fields: []Field{
			field("digest", FormDigest), field("procedure", FormPseudonym), field("number", FormNumber),
			word("act", "propose", "put", "extend", "admit", "adopt", "reopen", "withdraw"),
			may(word("subject", "charter", "edition", "statement")), may(field("text", FormDigest)),
		},
		EN: "A step of the silence procedure: a text was proposed, put under silence, adopted or opened again. Who broke the silence is in no step.",
		FR: "Une étape de la procédure de silence : un texte a été proposé, mis sous silence, adopté ou rouvert. Aucune étape ne dit qui a rompu le silence.",
	}
}

// silenceHead is what the ledger reads of a step. Package silence reads all.
type silenceHead struct {
	Kind      string `json:"kind"`
	Coalition string `json:"coalition"`
	Procedure string `json:"procedure"`
	Number    int    `json:"number"`
	Act       string `json:"act"`
	Subject   struct {
		Kind   string `json:"kind"`
		Digest string `json:"digest"`
	} `json:"subject"`
}

// Silence returns the statement of a step of the silence procedure. Whoever calls it
// has read the file strictly.
func (c *Cycle) Silence(file coalition.SignedFile) (Statement, error) {
	var head silenceHead
	if err := json.Unmarshal(file.Body, &head); err != nil || head.Kind != "muster silence step v1" {
		return Statement{}, errs.Wrap(err, errs.Invalid, "the step of the silence procedure cannot be read", "ask the chair for the file and its .sig again")
	}
	if head.Coalition != c.Charter.Coalition {
		return Statement{}, errs.New(errs.Invalid, "the step is of another coalition", "give the charter of its coalition")
	}
	s, err := c.noted(c.statement(KindSilence, "procedure", head.Procedure, "number", strconv.Itoa(head.Number), "act", head.Act,
		"subject", head.Subject.Kind, "text", head.Subject.Digest), file)
	if err != nil {
		return Statement{}, err
	}
	return s, s.check()
}
