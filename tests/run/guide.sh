# Every command of docs/guide.md runs, one after the other, in a copy of the examples; what stands in a block marked
# `output` is exactly what the command above it prints.
. "$(dirname "$0")/lib.sh"
page=$2/docs/guide.md
mkdir -p bin && ln -sf "$nnc" bin/nnc
PATH=$PWD/bin:$PATH
rm -rf work && cp -r "$examples" work && cd work

# What the text assumes to lie there: a model of its own, pictures to classify, arrays to run on.
sed -n '/^model chain {$/,/^}$/p' "$page" >chain.nn
for file in t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    gzip -dc "/usr/share/datasets/fashion-mnist/$file.gz" >"$file"
done
{ # 2 pictures as a .npy: magic, version, length of the header, header of 118 bytes, then bytes
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 28, 28), }"
    tail -c +17 t10k-images-idx3-ubyte | head -c 1568
} >images.npy

run=0
command_line() {
    case $1 in
    'sh examples/quickstart.sh' | export\ * | 'cd examples') return ;;
    esac
    run=$((run + 1))
    sh -c "$1" >out.txt 2>err.txt || fail "$1: $(cat err.txt)"
}

block=
while IFS= read -r line; do
    case $block,$line in
    ,'```sh') block=sh ;;
    ,'```output') block=output; : >wanted.txt ;;
    ,'```'*) block=other ;;
    output,'```') diff wanted.txt out.txt || fail "the guide shows another output"; block= ;;
    ?*,'```') block= ;;
    sh,?*) command_line "$line" ;;
    output,*) printf '%s\n' "$line" >>wanted.txt ;;
    esac
done <"$page"
[ "$run" -gt 15 ] || fail "only $run commands were found"
