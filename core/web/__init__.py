"""What every page of this program needs: a guard, a server on this computer's own address, small bodies."""
