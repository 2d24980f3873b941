# The lecture's neuron learns OR: train, save, evaluate; the log has a row a step.
. "$(dirname "$0")/lib.sh"
"$nnc" train "$examples/logistic.nn" -o w.safetensors --log log.csv >train.txt
[ "$(head -n 1 log.csv | cut -d, -f 1,2)" = step,loss ] || fail "header of log.csv"
[ "$(wc -l <log.csv)" = 501 ] || fail "log.csv has $(wc -l <log.csv) lines"
awk -F, 'NR == 2 { first = $2 } END { exit !($2 < first / 4) }' log.csv || fail "the loss did not fall"
"$nnc" eval "$examples/logistic.nn" --weights w.safetensors --split train >eval.txt
between eval.txt accuracy 1 1
between eval.txt loss 0 0.2
