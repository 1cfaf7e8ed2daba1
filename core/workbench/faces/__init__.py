"""What the screen of the faces needs beyond views: computed orders and verdicts, likeness, poses, one face."""
