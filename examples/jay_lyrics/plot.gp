# plot.gp - the perplexity of both halves by epoch, from a log of jay_lyrics.lua.
#
#   gru-lua examples/jay_lyrics.lua --log log.jsonl
#   gnuplot -e "log='log.jsonl'" examples/jay_lyrics/plot.gp > run.svg

half(name) = sprintf("< grep '\"half\":\"%s\"' %s | sed -E 's/.*\"epoch\":([0-9]+),\"perplexity\":([0-9.]+).*/\\1 \\2/'", name, log)

set terminal svg size 760,360 font "sans-serif,13" background "#ffffff"
set xlabel "epoch"
set ylabel "perplexity"
set logscale y
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key top right
plot half("scratch") with lines lw 2 lc rgb "#1f77b4" title "from scratch, SGD", \
     half("nn") with lines lw 2 lc rgb "#d62728" title "nn.GRU, Adam"
