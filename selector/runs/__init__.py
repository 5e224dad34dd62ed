"""The long work: making candidates and scoring them. Resumable, interruptible, one failure never ends a run."""
