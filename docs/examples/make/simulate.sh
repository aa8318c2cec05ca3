# What takes hours in earnest: sh simulate.sh NETLIST REPORT
set -eu
echo "simulating $1"
wc -l <"$1" >"$2"
