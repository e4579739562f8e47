package ledger

import (
	"encoding/json"
	"slices"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// maxAmendments bounds how far a list is followed.
const maxAmendments = 1000

// Listed returns whose submissions count by a roster as last amended, of which the digest
// is given, or nil where files, by their digests, do not have it. Who signed it is not
// looked at: its digest stands in what is signed.
func Listed(files map[string][]byte, digest string) ([]coalition.MemberID, error) {
	unreadable := func(err error) ([]coalition.MemberID, error) {
		return nil, errs.Wrap(err, errs.Invalid, "an earlier list of submissions cannot be read", "")
	}
	var amendments []coalition.SignedAmendment
	for {
		body, ok := files[digest]
		if !ok {
			return nil, nil
		}
		var head struct {
			Task     string `json:"task_id"`
			Roster   string `json:"roster"`
			Previous string `json:"previous"`
		}
		if err := json.Unmarshal(body, &head); err != nil {
			return unreadable(err)
		}
		task, err := dap.ParseTaskID(head.Task)
		if err != nil {
			return unreadable(err)
		}
		if head.Roster == "" {
			return onList(body, task, amendments)
		}
		amendments = slices.Insert(amendments, 0, coalition.SignedAmendment{Body: body})
		if digest = head.Previous; digest == "" {
			digest = head.Roster
		}
		if len(amendments) > maxAmendments {
			return nil, errs.New(errs.Invalid, "an earlier list of submissions has more amendments than there can be", "")
		}
	}
}

// onList returns who is on a roster and was not struck from it.
func onList(body []byte, task dap.TaskID, amendments []coalition.SignedAmendment) ([]coalition.MemberID, error) {
	roster, err := coalition.ParseRoster(body, task)
	if err != nil {
		return nil, err
	}
	struck := make(map[coalition.MemberID]bool)
	for i, signed := range amendments {
		amendment, err := coalition.ParseAmendment(signed.Body, task, coalition.SignedRoster{Body: body}, amendments[:i])
		if err != nil {
			return nil, err
		}
		for _, s := range amendment.Struck {
			struck[s.Member] = true
		}
	}
	members := []coalition.MemberID{}
	for _, e := range roster.Entries {
		if !struck[e.Member] {
			members = append(members, e.Member)
		}
	}
	return members, nil
}
