#!/bin/bash
# Eight parts of one run, each a task of an array: sbatch slurm-array.sh (docs/scale.md).
# After it: extractor merge parts/* -o out
#SBATCH --job-name=letters
#SBATCH --array=0-7
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
set -u
export OPENAI_API_KEY_FILE="$HOME/.secrets/openai"

extractor run letters --task ./task/ --model gpt-5-mini \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" -o "parts/$SLURM_ARRAY_TASK_ID" \
  --cache "${SLURM_TMPDIR:-/tmp}/replies" --rpm 500 --max-cost 25 --progress json &
trap 'kill -TERM $!' TERM
wait $!
code=$?
if [ "$code" -ge 128 ]; then # the wait, or the run, was told to stop: it saves its state within seconds
  wait $!
  code=$?
fi
[ "$code" -le 1 ] # 1: some record wants a look
