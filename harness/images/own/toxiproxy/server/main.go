// Toxiproxy's own server with one toxic more: a witness on each direction of each proxy, which tells how the bytes of
// each connection move, and which can hold up or cut answers once a connection's handshake is over.
//
// It is the program of cmd/server of the same module, but for what is marked below. One server serves one proxy here.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/collectors"
)

func main() {
	host := flag.String("host", "localhost", "Host for toxiproxy's API to listen on")
	port := flag.String("port", "8474", "Port for toxiproxy's API to listen on")
	config := flag.String("config", "", "JSON file containing proxies to create on startup")
	proxyMetrics := flag.Bool("proxy-metrics", false, "enable toxiproxy-specific prometheus metrics")
	printVersion := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *printVersion {
		fmt.Printf("toxiproxy-server version %s\n", toxiproxy.Version)
		return
	}

	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	level, err := zerolog.ParseLevel(os.Getenv("LOG_LEVEL"))
	if err != nil || level == zerolog.NoLevel {
		level = zerolog.TraceLevel
	}
	// Not upstream's: the log is read for the connection that was accepted last, which is the one that toxics are made
	// for next: the loop that accepts makes them itself, before it accepts another.
	logger := zerolog.New(acceptedIn{os.Stdout}).With().Timestamp().Logger().Level(level)
	log.Logger = logger
	logger.Info().Str("version", toxiproxy.Version).Msg("Starting Toxiproxy")
	go tell(logger)

	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), logger)
	if *proxyMetrics {
		server.Metrics.ProxyMetrics = collectors.NewProxyMetricCollectors()
	}
	if *config != "" {
		if err := populate(server, *config); err != nil {
			logger.Err(err).Str("config", *config).Msg("Failed to populate proxies from file")
		}
	}
	go func() {
		if err := server.Listen(net.JoinHostPort(*host, *port)); err != nil {
			logger.Err(err).Msg("Server finished with error")
		}
	}()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	<-signals
	logger.Info().Msg("Shutdown started")
	if err := server.Shutdown(); err != nil {
		logger.Err(err).Msg("Shutdown finished with error")
	}
}

// populate makes the proxies of a configuration, each with its witnesses before it listens.
func populate(server *toxiproxy.ApiServer, file string) error {
	said, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var described []struct {
		Name     string `json:"name"`
		Listen   string `json:"listen"`
		Upstream string `json:"upstream"`
		Enabled  *bool  `json:"enabled"`
	}
	if err := json.Unmarshal(said, &described); err != nil {
		return err
	}
	for _, each := range described {
		proxy := toxiproxy.NewProxy(server, each.Name, each.Listen, each.Upstream)
		for _, stream := range []string{"upstream", "downstream"} {
			toxic := fmt.Sprintf(
				`{"name":"witness_%[1]s","type":"witness","stream":"%[1]s","attributes":{"direction":"%[1]s"}}`, stream)
			if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
				return err
			}
		}
		if err := server.Collection.Add(proxy, each.Enabled == nil || *each.Enabled); err != nil {
			return err
		}
	}
	return nil
}
