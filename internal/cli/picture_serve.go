package cli

import "github.com/spf13/cobra"

// pictureAddress is where the picture is served unless somebody says otherwise.
const pictureAddress = "127.0.0.1:8337"

func newPictureServeCmd(env Env, f *pictureFlags) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "serve --release FILE",
		Short: "Serve the coalition's picture on this machine, until Ctrl-C",
		Long: `Serve the coalition's picture on this machine, in English and French, until
Ctrl-C: the year in one screen, its areas, every outcome, and the method. The
address is printed. Only addresses of the machine itself are taken, and only
requests that name them are answered.`,
		Example: `  muster picture serve --release 2025/release.json --release 2026/release.json`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pages, err := f.open(cmd, env)
			if err != nil {
				return err
			}
			return servePictures(cmd.Context(), env, pages, address)
		},
	}
	cmd.Flags().StringVar(&address, "listen", pictureAddress, "address of this machine, with port")
	return cmd
}
