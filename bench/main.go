// Command bench measures the whole running product side by side with simpler programs that do the same, in turns, in one run, on one
// machine: a figure counts as a ratio between columns of one table and never across runs. It brings its own Postgres.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 2 && os.Args[1] == rivalVerb {
		exit(runRival(ctx, os.Args[2]))
	}
	var o options
	conns := flag.String("conns", "1,16,64", "numbers of connections, in turn")
	flag.DurationVar(&o.each, "each", 2*time.Second, "how long each program is measured in a round")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds; the medians are shown")
	flag.IntVar(&o.people, "people", 200, "employees of the firm")
	flag.BoolVar(&o.verbose, "v", false, "show what the programs log")
	flag.Parse()
	for _, c := range strings.Split(*conns, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(c))
		if err != nil || n < 1 {
			exit(fmt.Errorf("-conns: %q is no number of connections", c))
		}
		o.conns = append(o.conns, n)
	}
	exit(run(ctx, o))
}

type options struct {
	conns   []int
	each    time.Duration
	rounds  int
	people  int
	verbose bool
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
