package cli

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"muster/internal/framework"
)

func newFrameworkRenderCmd(env Env) *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "render [PACK]",
		Short: "Print a pack as one HTML file, to forward and to print",
		Long: `Print a pack as one HTML file: a document to send to those who are to adopt or to
answer it. It opens in any browser without network, program or installation, is
printed or saved as PDF from there with the marking and the page on every sheet,
and keeps its headings and tables when it is opened in a word processor. The scale
and its house rule stand at every area. PACK is as for muster framework show, which
prints plain text.`,
		Example: `  muster framework render muster-ports >muster-ports.html
  muster framework render muster-ports --lang fr >muster-ports.fr.html`,
		Args: atMostOneArg("PACK"),
		RunE: func(_ *cobra.Command, args []string) error {
			pack, err := openPack(env, packArg(args))
			if err != nil {
				return err
			}
			out := bufio.NewWriter(env.Out)
			if err := framework.WriteHTML(out, pack, lang); err != nil {
				return err
			}
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write pack %s: %w", pack.ID, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "language (default: the pack's first)")
	return cmd
}
