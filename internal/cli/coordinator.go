package cli

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strconv"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// coordinatorFolder is the coordinator's folder as muster collect init made it.
type coordinatorFolder struct {
	dir         string
	card        coalition.CoordinatorCard
	signer      *keys.Signer
	hpke        *dap.HpkeKeypair
	certificate tls.Certificate
}

// openCoordinator opens the coordinator's folder and checks that card and keys
// belong together.
func openCoordinator(dir string) (*coordinatorFolder, error) {
	file, err := readSigned(filepath.Join(dir, coordinatorCardFile), "coordinator card")
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no coordinator's folder: it has no %s", strconv.Quote(dir), coordinatorCardFile), "give the folder that muster collect init made with --dir")
	}
	if err != nil {
		return nil, err
	}
	o := &coordinatorFolder{dir: dir}
	if o.card, err = coalition.OpenCoordinatorCard(file); err != nil {
		return nil, err
	}
	folder := keyFolder(dir)
	if _, err := folder.HPKE(); errs.KindOf(err) == errs.NotFound && exists(filepath.Join(dir, attestationFile)) {
		return nil, errs.Wrap(err, errs.Conflict, fmt.Sprintf("the cycle of %s is wiped: its collector key is destroyed", strconv.Quote(dir)), "what was not released before cannot be any more")
	}
	if own, err := newCoordinatorCard(o.card.Coalition, folder); err != nil {
		return nil, err
	} else if own != o.card {
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the keys in %s are not those that its card shows", strconv.Quote(dir)), "restore them from a backup")
	}
	if o.signer, err = folder.Signer(); err != nil {
		return nil, err
	}
	pairs, err := folder.HPKE()
	if err != nil {
		return nil, err
	}
	o.hpke = pairs[0]
	o.certificate, err = folder.Certificate()
	return o, err
}

// match refuses a charter that names another coordinator than this folder.
func (o *coordinatorFolder) match(c coalition.Charter) error {
	_, _, card, err := c.Cards()
	if err != nil {
		return err
	}
	what := ""
	switch {
	case card == o.card:
		return nil
	case card.Key != o.card.Key:
		what = "another signing key"
	case card.HPKE != o.card.HPKE:
		what = "another collector key"
	case card.Certificate != o.card.Certificate:
		what = "another TLS key"
	default:
		what = "another coalition"
	}
	return errs.New(errs.Conflict, fmt.Sprintf("the charter does not name the coordinator of %s: it has %s", strconv.Quote(o.dir), what), "give the folder with whose card the charter was made with --dir")
}

// chooseCohort returns the cohort that was named, or the only one.
func chooseCohort(c coalition.Charter, named string) (string, error) {
	if named == "" && len(c.Cohorts) == 1 {
		return c.Cohorts[0].ID, nil
	}
	var ids []string
	for _, cohort := range c.Cohorts {
		if cohort.ID == named {
			return named, nil
		}
		ids = append(ids, cohort.ID)
	}
	if named == "" {
		return "", errs.New(errs.Invalid, "the charter has several cohorts: "+someOf(ids), "say which with --cohort")
	}
	return "", errs.New(errs.NotFound, "the charter has no cohort "+errs.Quote(named), "its cohorts are "+someOf(ids))
}
