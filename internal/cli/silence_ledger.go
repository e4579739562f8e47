package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
)

// stepEntry says where the chair's commands enter the steps that they sign.
type stepEntry struct{ ledger, cycle string }

func (f *stepEntry) register(cmd *cobra.Command) {
	madeFlag(cmd, &f.ledger)
	cmd.Flags().StringVar(&f.cycle, "cycle", "", "the cycle whose entry it is in the ledger (default: that of the charter with which the text was proposed)")
}

// cycleFile holds, in the folder of a procedure, the cycle of the charter that it was
// proposed with: whose entry its steps are.
const cycleFile = "cycle"

// keepCycle keeps the cycle of a procedure. Who interrupts the command before this names
// it with --cycle.
func (c *chairFolder) keepCycle(id, cycle string) error {
	path := filepath.Join(c.store.dir, id, cycleFile)
	err := config.CreateSecret(path, []byte(cycle+"\n"))
	if errs.KindOf(err) == errs.Conflict {
		return nil
	}
	return placeError(err, filepath.Dir(path), "make room there; what was decided is kept")
}

// entering returns where the steps of a procedure are entered, before anything is done.
func (c *chairFolder) entering(id string, f stepEntry) (entering, error) {
	e, err := openEntering(c.dir, "", f.ledger)
	if err != nil || e.ledger == "" {
		return e, err
	}
	if e.cycle = f.cycle; e.cycle == "" && id != "" {
		body, err := os.ReadFile(filepath.Join(c.store.dir, id, cycleFile))
		if errors.Is(err, fs.ErrNotExist) {
			return e, errs.Wrap(err, errs.Invalid, fmt.Sprintf("it is not known whose entry in the ledger the steps of %s are", errs.Quote(id)), "name the cycle with --cycle")
		}
		if err != nil {
			return e, errs.Wrap(err, errs.Invalid, because("the cycle of the procedure cannot be read", err), "name it with --cycle")
		}
		e.cycle = strings.TrimSpace(string(body))
	}
	// What cannot be entered by this folder is said before anything is signed.
	if _, err := openCoordinator(c.dir); err != nil {
		return e, errs.Wrap(err, errs.Invalid, strconv.Quote(c.dir)+" is no coordinator's folder, and the coordinator alone enters", "send the steps to the coordinator, who enters them with muster ledger add")
	}
	_, err = openLedger(e.ledger)
	return e, err
}

// enter enters the steps of a procedure, those that are not there.
func (c *chairFolder) enter(ctx context.Context, env Env, id string, e entering) error {
	if e.ledger == "" {
		return nil
	}
	_, steps, _, err := c.chair.Show(ctx, id)
	if err != nil {
		return err
	}
	files := make([]string, len(steps))
	for i := range steps {
		files[i] = filepath.Join(c.sendFolder(id), fmt.Sprintf("step-%d.json", i))
	}
	return e.enter(ctx, env, coalition.Phase(""), files...)
}
